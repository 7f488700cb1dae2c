// alpaca_eval's annotations.json: preference from 1 (output_1 is better) to 2 (output_2 is better).
import type { BattleFormat } from '../battles/row-battle.ts';
import { modelsIn, numberIn, promptText, stylesOf } from './fields.ts';

export const alpacaEval: BattleFormat = {
  name: 'alpaca_eval',
  columns: 'generator_1, generator_2, preference (alpaca_eval)',
  recognise: (row) => 'generator_1' in row && 'generator_2' in row && 'preference' in row,
  battles: (row, reading) => {
    if (row.preference === null || row.preference === '')
      return reading.skip('annotations without a preference');
    const [a, b] = modelsIn(row, ['generator_1', 'generator_2'], reading);
    const preference = numberIn(row, 'preference', [0, 2], reading);
    if (preference > 0 && preference < 1) {
      reading.fail('preference', {
        expected: 'a number from 1 to 2, or 0 for a tie',
        found: String(preference),
      });
    }
    const { annotator } = row;
    return [
      {
        // alpaca_eval also writes a tie as 0.
        ...{ a, b, outcome: preference === 0 ? 0.5 : 2 - preference },
        prompt: promptText(row.instruction),
        style: () => stylesOf(row.output_1, row.output_2),
        ...(typeof annotator === 'string' && { judge: annotator }),
      },
    ];
  },
};
