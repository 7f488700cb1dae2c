// Verdicts of `keel judge`, averaged over both orders of the answers.
import type { BattleFormat } from '../battles/row-battle.ts';
import {
  contentIn,
  judgeIn,
  modelsIn,
  numberIn,
  promptText,
  stylesOf,
  weightIn,
} from './fields.ts';

export const verdicts: BattleFormat = {
  name: 'verdicts',
  columns: 'model_a, model_b, preference_b (keel judge)',
  recognise: (row) => 'model_a' in row && 'model_b' in row && 'preference_b' in row,
  battles: (row, reading) => {
    if (row.failed !== null && row.failed !== undefined)
      return reading.skip('verdicts that the judge failed to give');
    const [a, b] = modelsIn(row, ['model_a', 'model_b'], reading);
    return [
      {
        ...{ a, b, outcome: 1 - numberIn(row, 'preference_b', [0, 1], reading) },
        prompt: promptText(row.prompt),
        style: () => stylesOf(row.answer_a, row.answer_b),
        content: () => contentIn(row.prompt, row.answer_a, row.answer_b),
        ...weightIn(row, reading),
        ...judgeIn(row),
      },
    ];
  },
};
