import { expect, it } from 'vitest';
import { d2poDefinition } from '../config/d2po-options.ts';
import { defineDpoOptions } from '../config/dpo-options.ts';
import { grpoDefinition } from '../config/grpo-options.ts';
import { ktoDefinition } from '../config/kto-options.ts';
import { onlineDpoDefinition } from '../config/online-dpo-options.ts';
import { ppoDefinition } from '../config/ppo-options.ts';
import { raftDefinition } from '../config/raft-options.ts';
import { reinforceDefinition } from '../config/reinforce-options.ts';
import { remaxDefinition } from '../config/remax-options.ts';
import { rewardDefinition } from '../config/reward-options.ts';
import { rlooDefinition } from '../config/rloo-options.ts';
import { sftDefinition } from '../config/sft-options.ts';
import { changeableOnResume } from './resume-rules.ts';

const definitions = [
  ...[sftDefinition, rewardDefinition, defineDpoOptions(), ktoDefinition, ppoDefinition],
  ...[grpoDefinition, rlooDefinition, reinforceDefinition, remaxDefinition],
  ...[onlineDpoDefinition, d2poDefinition, raftDefinition],
];
const keysOf = ({ descriptors }: (typeof definitions)[number]): string[] =>
  descriptors.flatMap(({ yamlKey, flagOnly }) => (flagOnly ? [] : [yamlKey]));

it('every rule is about an option that config.yaml has', () => {
  const known = new Set(definitions.flatMap(keysOf));
  expect(changeableOnResume.filter((key) => !known.has(key))).toEqual([]);
});

it.each(
  definitions.map((definition) => [definition.verb, definition] as const),
)('what %s learns, and how, must stay the same', (_, definition) => {
  const fixed = keysOf(definition).filter((key) => !changeableOnResume.includes(key));
  expect(fixed).toEqual(
    expect.arrayContaining([
      ...['model', 'data', 'learning_rate', 'scheduler', 'warmup_steps', 'weight_decay'],
      ...['max_grad_norm', 'batch_size', 'max_length', 'shuffle', 'seed', 'lora_rank', 'precision'],
    ]),
  );
});
