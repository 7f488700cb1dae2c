// alpaca_eval's annotations.json: output_1 is the baseline (a), output_2 the model (b), and
// preference is from 1 (output_1 is better) to 2.
import { DataError } from '@keel/align';
import type { Content, Place } from '@keel/align/data';
import { exactJson, plainNumbers } from '@keel/model/exact-json';
import { answerText } from '../answers/answer-row.ts';
import { readRows, textOfField } from '../answers/read-answers.ts';
import type { VerdictRow } from './verdict-row.ts';

/** Rows for annotations.json. Pairs without a verdict have a preference of null, as there. */
export const annotationsOf = (rows: readonly VerdictRow[]): Record<string, unknown>[] =>
  rows.map((row) => ({
    instruction: promptText(row.prompt),
    output_1: answerText(row.answer_a),
    generator_1: row.model_a,
    dataset: row.category,
    output_2: answerText(row.answer_b),
    generator_2: row.model_b,
    annotator: row.judge,
    preference: row.preference_b === null ? null : 1 + row.preference_b,
    price_per_example: row.orders.reduce((sum, { usage }) => sum + usage.cost, 0),
    raw_completion: row.orders.flatMap(({ exchanges }) => exchanges.map(({ said }) => said)),
  }));

/** A chat of one user message as its text; others with the roles before the turns. */
function promptText(prompt: Content): string {
  if (typeof prompt === 'string') return prompt;
  if (prompt.length === 1) return prompt[0]!.content ?? '';
  return prompt.map(({ role, content }) => `${role}: ${content ?? ''}`).join('\n\n');
}

/**
 * Reads verdicts: `verdicts.jsonl` of `keel judge`, or annotations in alpaca_eval's form.
 * @throws DataError for a file without rows, and for a row in another form
 */
export const readVerdicts = (files: readonly string[]): Promise<VerdictRow[]> => {
  let row = 0;
  return readRows(files, (fields, place) => verdictOf(fields, row++, place), {});
};

function verdictOf(exact: Record<string, unknown>, row: number, place: Place): VerdictRow {
  const fields = plainNumbers(exact) as Record<string, unknown>;
  if ('preference_b' in fields && 'orders' in fields) {
    const found = fields as unknown as VerdictRow;
    checkPreference(found.preference_b, 'preference_b', 0, place);
    return { ...found, row };
  }
  if (!('preference' in fields && 'output_1' in fields && 'output_2' in fields)) {
    throw new DataError({
      ...place,
      expected:
        'a verdict of keel judge ("preference_b", "orders"), or an annotation of alpaca_eval ("output_1", "output_2", "preference")',
      found: `the fields ${Object.keys(fields).join(', ')}`,
    });
  }
  checkPreference(fields.preference, 'preference', 1, place);
  const preference = fields.preference as number | null;
  const text = (field: string): string => textOfField(fields[field], field, place);
  const nameOf = (field: string, other: string): string =>
    typeof fields[field] === 'string' ? (fields[field] as string) : other;
  const value = preference === null || preference === 0 ? null : preference - 1;
  // alpaca_eval writes 0 or 1.5 for a tie.
  const tied = preference === 0 || preference === 1.5;
  return {
    row,
    prompt: text('instruction'),
    model_a: nameOf('generator_1', 'output_1'),
    model_b: nameOf('generator_2', 'output_2'),
    answer_a: text('output_1'),
    answer_b: text('output_2'),
    category: typeof fields.dataset === 'string' ? fields.dataset : null,
    judge: nameOf('annotator', 'unknown'),
    preference_b: tied ? 0.5 : value,
    tie: value === null && !tied ? null : tied ? 1 : 0,
    orders: [],
    orders_agree: null,
    flags_a: [],
    flags_b: [],
    failed: preference === null ? 'no preference in the file' : null,
    rule: null,
    key: '',
  };
}

/** @throws DataError for a preference that is neither null nor in its range (0: a tie) */
function checkPreference(value: unknown, field: string, least: number, place: Place): void {
  if (value === null || value === 0) return;
  if (typeof value === 'number' && value >= least && value <= least + 1) return;
  throw new DataError({
    ...place,
    field,
    expected: `a number from ${least} to ${least + 1}, or null`,
    found: exactJson(value) ?? 'nothing',
  });
}
