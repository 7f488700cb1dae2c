// Pairs that people labelled: {prompt, response_1, response_2, model_1, model_2, labels {person: 1,
// 2, or 0 for a tie}}. Each label is a battle.
import { describeValue } from '@keel/align/data';
import { isPlainObject, parseExactJson, plainNumbers } from '@keel/model/exact-json';
import type { BattleFormat, Fields } from '../battles/row-battle.ts';
import { modelsIn, promptText, stylesOf } from './fields.ts';

const outcomes: ReadonlyMap<unknown, number> = new Map([
  [1, 1],
  [2, 0],
  [0, 0.5],
]);

export const labels: BattleFormat = {
  name: 'labels',
  columns: 'model_1, model_2, labels or label (1, 2, or 0 for a tie)',
  recognise: (row) => 'model_1' in row && 'model_2' in row && ('labels' in row || 'label' in row),
  battles: (row, reading) => {
    const [a, b] = modelsIn(row, ['model_1', 'model_2'], reading);
    const found = labelsIn(row).flatMap(([field, judge, value]) => {
      const plain = plainNumbers(value);
      if (plain === null || (typeof plain === 'string' && plain.trim() === '')) return [];
      const outcome = outcomes.get(typeof plain === 'string' ? Number(plain) : plain);
      if (outcome === undefined)
        return reading.fail(field, {
          expected: '1, 2, or 0 for a tie',
          found: describeValue(value),
        });
      return [
        {
          ...{ a, b, outcome },
          prompt: promptText(row.prompt),
          style: () => stylesOf(row.response_1 ?? row.answer_1, row.response_2 ?? row.answer_2),
          ...(judge !== null && { judge }),
        },
      ];
    });
    return found.length > 0 ? found : reading.skip('pairs without a label');
  },
};

function labelsIn(row: Fields): (readonly [field: string, judge: string | null, value: unknown])[] {
  const { label } = row;
  const all = typeof row.labels === 'string' ? parsed(row.labels) : row.labels;
  if (isPlainObject(all))
    return Object.entries(all).map(([person, value]) => [`labels.${person}`, person, value]);
  if (Array.isArray(all))
    return (all as unknown[]).map((value, index) => [`labels[${index}]`, null, value]);
  return [[all === undefined ? 'label' : 'labels', null, all ?? label ?? null]];
}

function parsed(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return text;
  }
}
