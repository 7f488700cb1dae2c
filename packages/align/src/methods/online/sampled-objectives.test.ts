import { expect, it } from 'vitest';
import { resolveOptions } from '../../config/resolve-options.ts';
import { d2poDefinition } from '../d2po/d2po-options.ts';
import { onlineDpoDefinition } from '../online-dpo/online-dpo-options.ts';

const given = { data: ['x'], output: 'run', reward: 'length:-9' };

it('an objective that cannot learn from sampled pairs is told why, and no other one is proposed', () => {
  for (const [loss, message] of [
    ['wpo', "keel dpo --loss wpo on pairs of a file: it needs each token's whole distribution"],
    ['bco_pair', 'keel dpo --loss bco_pair on pairs of a file: it needs means over the steps'],
    ['simpo', 'keel dpo --loss simpo on pairs of a file: it has no reference'],
    ['aot', 'it compares the pairs of a step with each other'],
    ['rpo', 'found "rpo"; write keel dpo --loss sigmoid,chosen_nll'],
    ['slic-hf', 'found "slic-hf"; write keel dpo --loss slic'],
    ['dpo', 'found "dpo"; write sigmoid'],
    ['cdpo', 'write sigmoid, with --label-smoothing above 0'],
    ['kto', 'write keel kto'],
    ['rebell', 'did you mean rebel?'],
  ] as const)
    expect(() => resolveOptions(onlineDpoDefinition, { flags: { ...given, loss } }), loss).toThrow(
      message,
    );
});

it('the gap of the scores is known of rewards, and not of labels', () => {
  const flags = { ...given, loss: 'rebel' };
  expect(resolveOptions(onlineDpoDefinition, { flags })).toMatchObject({
    loss: 'rebel',
    beta: null,
  });
  const labelled = { ...flags, goldBudget: 32 };
  expect(() => resolveOptions(d2poDefinition, { flags: labelled })).toThrow(
    'keel dpo --loss rebel on pairs of a file: it needs how far apart the scores of a pair are',
  );
});
