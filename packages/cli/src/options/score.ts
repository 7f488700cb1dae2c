import { defineOptions, detailsOf, onlineShape, option, variant } from '@keel/align/config';
import { z } from 'zod';
import { withBase } from './base-model.ts';
import { baseShape, callShape, dataShape, dryRunShape, modelShape } from './shared.ts';

/** The word for the model without an adapter, among several adapters. */
export const BASE = 'base';

const shape = z.strictObject({
  ...modelShape,
  adapter: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    ...detailsOf(modelShape.adapter),
    description:
      "apply this adapter (a run, or a folder in PEFT's format) to the model; several are compared with the first, and `base` stands for the model without one",
    value: 'folder',
  }),
  reward: option(z.string().min(1).nullable().default(null), {
    description:
      "score with this reward instead of log-probabilities: a spec (YAML, JSON), a reward model's folder, module.ts, regex:/…/, length:…, penalty:…, code or judge:model",
    group: 'Reward',
    reads: 'reward',
    common: true,
    shownDefault: 'log-probabilities',
  }),
  rewardConcurrency: onlineShape.rewardConcurrency,
  rewardTimeout: onlineShape.rewardTimeout,
  unsafeCode: onlineShape.unsafeCode,
  ...dataShape,
  maxLength: option(z.number().int().min(2).nullable().default(null), {
    description: 'maximum tokens of prompt plus answer; longer rows are truncated',
    group: 'Model and data',
    value: 'tokens',
    common: true,
    shownDefault: 'no limit',
  }),
  batchTokens: option(z.number().int().min(1).default(4096), {
    description: 'tokens per forward pass, filled with rows of similar length',
    group: 'Machine',
    value: 'tokens',
  }),
  ...baseShape,
  ...callShape,
  ...dryRunShape,
  json: variant(callShape.json, { common: true }),
});

/** Options that have no effect with a reward, and what to do instead. */
const withoutUse = {
  adapter:
    'a reward is not applied to --model. Pass the folder of a reward adapter as --reward itself',
  chatTemplate:
    'a reward model or a judge uses the chat template in its own folder. Change it there',
  chatTemplateKwargs:
    'a reward model uses the variables that it was trained with. For others, add the column "chat_template_kwargs" to the rows',
  maxLength: 'a reward scores whole answers without truncating them. Remove the option',
} as const;

const schema = shape.check(({ value, issues }) => {
  const add = (name: string, message: string): void => {
    issues.push({ code: 'custom', path: [name], message, input: value });
  };
  if (value.reward === null) {
    if (value.unsafeCode)
      add('unsafeCode', 'has no effect without --reward code. Pass --reward too');
    return;
  }
  for (const [name, why] of Object.entries(withoutUse)) {
    if (value[name as keyof typeof withoutUse] === null) continue;
    add(name, `has no effect with --reward: ${why}`);
  }
});

export const definition = defineOptions('score', schema, {
  complete: ({ adapter, ...others }) => {
    const adapters = adapter ?? [];
    const first = adapters.find((one) => one !== BASE) ?? null;
    return { ...withBase({ ...others, adapter: first }), adapters };
  },
});

export type ScoreOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel score --adapter runs/first/final --data held-out.jsonl --json';
