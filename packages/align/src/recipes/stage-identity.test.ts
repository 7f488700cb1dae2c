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
  test('nothing if everything is the same, whatever the files are called', () => {
    const moved = { ...identity.inputs, data: [{ name: 'elsewhere.jsonl', sha256: '1' }] };
    expect(changesOf(identity, { ...identity, inputs: moved })).toEqual([]);
  });

  test('an option that one side does not have is as its default', () => {
    const options = { ...identity.options, limit: null, ties: ['a'], added: 2 };
    const defaults = { limit: null, ties: ['a'], added: 1 };
    const changes = ['added changed from unset to 2'];
    expect(changesOf(identity, { ...identity, options }, [], defaults)).toEqual(changes);
    expect(changesOf({ ...identity, options }, identity, [], defaults)).toEqual([
      'added changed from 2 to unset',
    ]);
  });

  test('reports options, files, versions and the verb', () => {
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
      'beta changed from 0.1 to 0.2',
      'loss changed from sigmoid to sigmoid, ipo',
      'added changed from unset to 1',
      'data: the content of a.jsonl changed',
      'model changed from base to other',
      'it ran with Keel 1; this is Keel 2',
    ]);
    expect(changesOf(identity, { ...identity, verb: 'sft' })).toEqual([
      'verb changed from dpo to sft',
    ]);
  });

  test('inputs that are not known yet do not count as changes', () => {
    const inputs = { ...identity.inputs, model: [] };
    expect(changesOf(identity, { ...identity, inputs }, ['model'])).toEqual([]);
    expect(changesOf(identity, { ...identity, inputs })).toEqual([
      'model changed from base to none',
    ]);
  });

  test('an option that now takes files is reported once', () => {
    const { model: _, ...inputs } = identity.inputs;
    const before = { ...identity, inputs, options: { ...identity.options, model: null } };
    expect(changesOf(before, identity)).toEqual(['model changed from none to base']);
  });
});
