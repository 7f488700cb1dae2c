import { defineOptions, option, variant } from '@keel/align/config';
import { z } from 'zod';
import { callShape } from './shared.ts';

const doctorObject = z.strictObject({
  bench: option(z.boolean().default(false), {
    description:
      "benchmark this machine's matrix products and memory (takes some seconds); runs compute their model FLOP utilisation from it",
    group: 'Command line only',
    flagOnly: true,
    common: true,
  }),
  distributed: option(z.boolean().default(false), {
    description:
      'check that the processes started by torchrun, srun or keel launch reach each other, and measure how fast they exchange gradients',
    group: 'Command line only',
    flagOnly: true,
    common: true,
  }),
  json: variant(callShape.json, { common: true }),
});

export const definition = defineOptions('doctor', doctorObject, {
  complete: (parsed) => parsed,
});

export type DoctorOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel doctor';
