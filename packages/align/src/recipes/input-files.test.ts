import { expect, test } from 'vitest';
import { stageVerbs } from './stage-verbs.ts';

test('the options of training verbs whose files are part of what a run is made of', () => {
  const reads = Object.values(stageVerbs)
    .flatMap(({ definition }) => definition.descriptors)
    .flatMap((option) =>
      option.reads === undefined ? [] : [[option.name, option.reads] as const],
    );
  expect(Object.fromEntries(reads)).toEqual({
    ...{ data: 'rows', evalData: 'rows', normaliseData: 'rows', pretrainingData: 'rows' },
    ...{ model: 'model', reference: 'model', reward: 'reward', gold: 'reward' },
    ...{ adapter: 'folder', criticFrom: 'folder', discriminatorFrom: 'folder' },
    ...{ refreshData: 'rows', refreshEvalData: 'rows', refreshLabels: 'reward' },
    ...{ chatTemplate: 'file', head: 'file', config: 'file', grammar: 'file' },
  });
});
