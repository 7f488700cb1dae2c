import { z } from 'zod';
import { defineOptions, onlineShape, option } from '../torch-free/align-config.ts';
import { callShape, dataShape, machineShape, modelShape } from './shared.ts';

const shape = z.strictObject({
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

/** Options that a reward has no use for, and what it does instead. */
const withoutUse = {
  adapter:
    'a reward is no adapter over --model: give the folder of a reward adapter as --reward itself',
  chatTemplate:
    'a reward model or a judge uses the chat template in its own folder. To change it, change it there',
  chatTemplateKwargs:
    'a reward model uses the variables that it was trained with. Write others in a row, in the column "chat_template_kwargs"',
  maxLength: 'a reward judges whole answers, and cuts none',
} as const;

const schema = shape.check(({ value, issues }) => {
  const add = (name: string, message: string): void => {
    issues.push({ code: 'custom', path: [name], message, input: value });
  };
  if (value.reward === null) {
    if (value.unsafeCode) add('unsafeCode', 'is for code of a reward: give --reward too');
    return;
  }
  for (const [name, why] of Object.entries(withoutUse)) {
    if (value[name as keyof typeof withoutUse] === null) continue;
    add(name, `has no effect beside --reward: ${why}`);
  }
});

export const definition = defineOptions('score', schema, { complete: (parsed) => parsed });

export type ScoreOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel score --adapter runs/first/final --data held-out.jsonl --json';
