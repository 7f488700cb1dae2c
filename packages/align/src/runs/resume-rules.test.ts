import { expect, it } from 'vitest';
import { ktoDefinition } from '../methods/answers/kto-options.ts';
import { d2poDefinition } from '../methods/d2po/d2po-options.ts';
import { grpoDefinition } from '../methods/grpo/grpo-options.ts';
import { onlineDpoDefinition } from '../methods/online-dpo/online-dpo-options.ts';
import { defineDpoOptions } from '../methods/pairs/dpo-options.ts';
import { ppoDefinition } from '../methods/ppo/ppo-options.ts';
import { raftDefinition } from '../methods/raft/raft-options.ts';
import { reinforceDefinition } from '../methods/reinforce/reinforce-options.ts';
import { remaxDefinition } from '../methods/remax/remax-options.ts';
import { rewardDefinition } from '../methods/reward/reward-options.ts';
import { rlooDefinition } from '../methods/rloo/rloo-options.ts';
import { sftDefinition } from '../methods/supervised/sft-options.ts';
import { changeableOnResume } from './resume-rules.ts';

const definitions = [
  ...[sftDefinition, rewardDefinition, defineDpoOptions(), ktoDefinition, ppoDefinition],
  ...[grpoDefinition, rlooDefinition, reinforceDefinition, remaxDefinition],
  ...[onlineDpoDefinition, d2poDefinition, raftDefinition],
];
const keysOf = ({ descriptors }: (typeof definitions)[number]): string[] =>
  descriptors.flatMap(({ yamlKey, flagOnly }) => (flagOnly ? [] : [yamlKey]));

it('every rule is for an option in config.yaml', () => {
  const known = new Set(definitions.flatMap(keysOf));
  expect(changeableOnResume.filter((key) => !known.has(key))).toEqual([]);
});

it.each(
  definitions.map((definition) => [definition.verb, definition] as const),
)('what %s trains on, and how, must stay the same', (_, definition) => {
  const fixed = keysOf(definition).filter((key) => !changeableOnResume.includes(key));
  expect(fixed).toEqual(
    expect.arrayContaining([
      ...['model', 'data', 'learning_rate', 'scheduler', 'warmup_steps', 'weight_decay'],
      ...['max_grad_norm', 'batch_size', 'max_length', 'shuffle', 'seed', 'lora_rank', 'precision'],
    ]),
  );
});
