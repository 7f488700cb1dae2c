import { defineOptions, option } from '@keel/align/config';
import { z } from 'zod';
import { withOperand } from './operand.ts';

export const operand = 'command';
/** The flags of the command are not those of `launch`. */
export const passThrough = true;

const group = 'Machine';

const launchObject = z.strictObject({
  command: option(z.array(z.string()).min(1), {
    description: 'a training verb and its flags, as they follow `keel`',
    group,
    flagOnly: true,
    common: true,
  }),
  processes: option(z.number().int().min(1).default(2), {
    description: 'number of processes on this machine',
    group,
    flagOnly: true,
    common: true,
  }),
  threads: option(z.number().int().min(1).nullable().default(null), {
    description: 'threads of each process',
    group,
    flagOnly: true,
    common: true,
    shownDefault: 'the cores, divided among the processes; or OMP_NUM_THREADS',
  }),
  port: option(z.number().int().min(1).max(65_535).nullable().default(null), {
    description: 'port at which the processes find each other',
    group,
    flagOnly: true,
    shownDefault: 'a free one',
  }),
});

export const definition = withOperand(
  operand,
  defineOptions('launch', launchObject, { complete: (parsed) => parsed }),
);

export type LaunchCommandOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel launch --processes 2 dpo --data examples/data/concise-train.jsonl --lora';
