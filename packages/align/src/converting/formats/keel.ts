// Keel's own rows, which are TRL's: docs/guide/rows.md.
import type { Example, Fields, RowFormat } from './example.ts';
import { has, without } from './turns.ts';

const scoreFields = ['margin', 'score_chosen', 'score_rejected', 'label_probability'];
const orderFields = ['ranking', 'scores'];

const chosenFrom = (row: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(names.filter((name) => has(row, name)).map((name) => [name, row[name]]));

/** What a row holds; null if it is not a row of Keel. */
export function ownExample(row: Fields): Example | null {
  const rest = (...names: string[]): Fields => without(row, names);
  // The row's check reports a value that is neither text nor a list.
  const content = (name: string) => row[name] as string;
  const prompt = content('prompt');
  if (has(row, 'chosen', 'rejected')) {
    return {
      kind: 'pair',
      ...(has(row, 'prompt') && { prompt }),
      ...{ chosen: content('chosen'), rejected: content('rejected') },
      scores: chosenFrom(row, scoreFields),
      columns: rest('prompt', 'chosen', 'rejected', ...scoreFields),
    };
  }
  if (has(row, 'prompt', 'completions')) {
    const completions = row.completions as unknown[] as string[];
    if (has(row, 'labels')) {
      const columns = rest('prompt', 'completions', 'labels');
      return { kind: 'steps', prompt, completions, labels: row.labels, columns };
    }
    if (!has(row, 'ranking') && !has(row, 'scores')) return null;
    const order = chosenFrom(row, orderFields);
    const columns = rest('prompt', 'completions', ...orderFields);
    return { kind: 'ranking', prompt, completions, order, columns };
  }
  if (has(row, 'prompt', 'completion', 'label')) {
    const columns = rest('prompt', 'completion', 'label', 'label_probability');
    const completion = content('completion');
    const probability = chosenFrom(row, ['label_probability']);
    return { kind: 'thumb', prompt, completion, label: row.label, ...probability, columns };
  }
  if (has(row, 'messages')) {
    return { kind: 'chat', messages: row.messages as unknown[], columns: rest('messages') };
  }
  if (has(row, 'prompt', 'completion')) {
    const columns = rest('prompt', 'completion');
    return { kind: 'answer', prompt, completion: content('completion'), columns };
  }
  // The row's check reports the missing answer.
  if (has(row, 'prompt') && (has(row, 'chosen') || has(row, 'rejected'))) {
    const { chosen, rejected } = row as { chosen: string; rejected: string };
    const columns = rest('prompt', 'chosen', 'rejected', ...scoreFields);
    return { kind: 'pair', prompt, chosen, rejected, scores: {}, columns };
  }
  if (has(row, 'text')) return { kind: 'text', text: content('text'), columns: rest('text') };
  return has(row, 'prompt') ? { kind: 'prompt', prompt, columns: rest('prompt') } : null;
}

/** Recognised only if no other format is: other tools use some of the same names. */
export const keel: RowFormat = {
  name: 'keel',
  columns: "Keel's fields, also with `--columns`: see [Rows](rows.md)",
  recognise: (row) => (ownExample(row) === null ? null : "Keel's own fields"),
  convert: ([row], reading) =>
    ownExample(row!) ??
    reading.fail(undefined, {
      expected: "the fields of one of Keel's rows",
      found: `the columns ${Object.keys(row!).join(', ')}`,
    }),
};
