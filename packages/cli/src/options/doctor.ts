import { z } from 'zod';
import { defineOptions, option } from '../torch-free/align-config.ts';
import { callShape } from './shared.ts';

const doctorObject = z.strictObject({
  bench: option(z.boolean().default(false), {
    description:
      "measure this machine's matrix products and memory, some seconds; runs take their mfu from it",
    group: 'This call',
    flagOnly: true,
  }),
  json: callShape.json,
});

export const definition = defineOptions('doctor', doctorObject, {
  complete: (parsed) => parsed,
});

export type DoctorOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel doctor';
