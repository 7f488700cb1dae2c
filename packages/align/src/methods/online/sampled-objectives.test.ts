import { expect, it } from 'vitest';
import { resolveOptions } from '../../config/resolve-options.ts';
import { d2poDefinition } from '../d2po/d2po-options.ts';
import { onlineDpoDefinition } from '../online-dpo/online-dpo-options.ts';

const given = { data: ['x'], output: 'run', reward: 'length:-9' };

it('says why an objective cannot learn from sampled pairs, and proposes no other', () => {
  for (const [loss, message] of [
    ['wpo', /keel dpo --loss wpo on .*: .*token/],
    ['bco_pair', /keel dpo --loss bco_pair on .*: .*steps/],
    ['simpo', /keel dpo --loss simpo on .*: .*reference/],
    ['aot', /keel dpo --loss aot on .*: .*pairs of a step/],
    ['rpo', 'found "rpo"; write keel dpo --loss sigmoid,chosen_nll'],
    ['slic-hf', 'found "slic-hf"; write keel dpo --loss slic'],
    ['dpo', 'found "dpo"; write sigmoid'],
    ['cdpo', 'write sigmoid, with --label-smoothing above 0'],
    ['kto', 'write keel kto'],
    ['rebell', 'did you mean "rebel"?'],
  ] as const)
    expect(() => resolveOptions(onlineDpoDefinition, { flags: { ...given, loss } }), loss).toThrow(
      message,
    );
});

it('score gaps are available with rewards, but not with labels', () => {
  const flags = { ...given, loss: 'rebel' };
  expect(resolveOptions(onlineDpoDefinition, { flags })).toMatchObject({
    loss: 'rebel',
    beta: null,
  });
  const labelled = { ...flags, goldBudget: 32 };
  expect(() => resolveOptions(d2poDefinition, { flags: labelled })).toThrow(
    /keel dpo --loss rebel on .*: .*score gap/,
  );
});
