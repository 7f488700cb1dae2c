import { defineOptions, option } from '@keel/align/config';
import { z } from 'zod';

const setupObject = z.strictObject({
  defaultModel: option(z.boolean().default(true), {
    description: 'fetch the default model too (--no-default-model: fetch it when it is first used)',
    group: 'Command line only',
    flagOnly: true,
    common: true,
  }),
});

export const definition = defineOptions('setup', setupObject, {
  complete: (parsed) => parsed,
});

export type SetupOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel setup';
