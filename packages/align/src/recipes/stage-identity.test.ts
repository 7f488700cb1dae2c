import { describe, expect, test } from 'vitest';
import { changesOf } from './stage-identity.ts';
import type { StageIdentity } from './stage-records.ts';

const identity: StageIdentity = {
  verb: 'dpo',
  options: { beta: 0.1, loss: ['sigmoid'] },
  inputs: { data: [{ name: 'a.jsonl', sha256: '1' }], model: [{ name: 'base', sha256: '2' }] },
  code: 'Keel 1',
};

describe('what changed of a stage', () => {
  test('nothing where all is as it was, whatever files are called', () => {
    const moved = { ...identity.inputs, data: [{ name: 'elsewhere.jsonl', sha256: '1' }] };
    expect(changesOf(identity, { ...identity, inputs: moved })).toEqual([]);
  });

  test('is told of options, files, versions and the verb', () => {
    const data = [{ name: 'a.jsonl', sha256: '3' }];
    const model = [{ name: 'other', sha256: '4' }];
    expect(
      changesOf(identity, {
        ...identity,
        options: { beta: 0.2, loss: ['sigmoid', 'ipo'], added: 1 },
        inputs: { data, model },
        code: 'Keel 2',
      }),
    ).toEqual([
      'beta was 0.1, now 0.2',
      'loss was sigmoid, now sigmoid, ipo',
      'added was not there, now 1',
      'data: a.jsonl has changed',
      'model was base, now other',
      'it ran with Keel 1, this is Keel 2',
    ]);
    expect(changesOf(identity, { ...identity, verb: 'sft' })).toEqual([
      'it was keel dpo, now keel sft',
    ]);
  });

  test('inputs that are not known yet are no change', () => {
    const inputs = { ...identity.inputs, model: [] };
    expect(changesOf(identity, { ...identity, inputs }, ['model'])).toEqual([]);
    expect(changesOf(identity, { ...identity, inputs })).toEqual(['model was base, now none']);
  });

  test('an option that takes files now is told once', () => {
    const { model: _, ...inputs } = identity.inputs;
    const before = { ...identity, inputs, options: { ...identity.options, model: null } };
    expect(changesOf(before, identity)).toEqual(['model was none, now base']);
  });
});
