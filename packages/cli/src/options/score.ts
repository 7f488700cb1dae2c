import { z } from 'zod';
import { defineOptions, onlineShape, option } from '../torch-free/align-config.ts';
import { callShape, dataShape, machineShape, modelShape } from './shared.ts';

const schema = z.strictObject({
  ...modelShape,
  reward: option(z.string().min(1).nullable().default(null), {
    description:
      'score with this instead of log-probabilities: a spec (YAML, JSON), a folder of a reward model, module.ts, regex:/…/, length:…, code, judge:model',
    group: 'Reward',
    value: 'reward',
  }),
  rewardConcurrency: onlineShape.rewardConcurrency,
  rewardTimeout: onlineShape.rewardTimeout,
  unsafeCode: option(z.boolean().default(false), {
    description: 'run code of answers without a sandbox, with all rights of this user',
    group: 'Reward',
    flagOnly: true,
  }),
  ...dataShape,
  maxLength: option(z.number().int().min(2).nullable().default(null), {
    description: 'tokens of prompt and answer together; longer rows are cut; none: never',
    group: 'Data',
    value: 'tokens',
  }),
  batchTokens: option(z.number().int().min(1).default(4096), {
    description: 'tokens of one forward pass, filled with rows of like length',
    group: 'Machine',
    value: 'tokens',
  }),
  ...machineShape,
  ...callShape,
});

export const definition = defineOptions('score', schema, { complete: (parsed) => parsed });

export type ScoreOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel score --adapter runs/first/final --data held-out.jsonl --json';
