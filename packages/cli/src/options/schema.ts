import { z } from 'zod';
import { defineOptions, option } from '../torch-free/align-config.ts';

const configurable = [
  ...['sft', 'reward', 'dpo', 'kto', 'ppo', 'grpo', 'rloo', 'reinforce', 'remax', 'online-dpo'],
  ...['d2po', 'raft'],
  ...['compare', 'align', 'best-of-n', 'generate', 'chat', 'score', 'tokens'],
] as const;

const defined = defineOptions(
  'schema',
  z.strictObject({
    verb: option(z.enum(configurable), {
      description: 'the verb whose YAML file is described',
      group: 'Options',
    }),
  }),
  { complete: (parsed) => parsed },
);

// It stands on the command line without a flag, and complaints name it so.
export const definition = {
  ...defined,
  descriptors: defined.descriptors.map((descriptor) => ({ ...descriptor, flag: '<verb>' })),
};

export const operand = 'verb';

export const example = 'npx keel schema dpo > keel-dpo.schema.json';
