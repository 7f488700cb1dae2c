// Reads files of answers: Keel's rows (prompt and completion), and alpaca_eval's outputs.
import { DataError } from '@keel/align';
import {
  type Content,
  leftOutOfPrompt,
  type Place,
  type PlacedValue,
  parseRow,
  type Rendering,
  ValueSource,
} from '@keel/align/data';
import { exactJson } from '@keel/model/exact-json';
import type { AnswerRow } from './answer-row.ts';

export interface ReadingOptions {
  onBadRow?: 'fail' | 'skip';
  columns?: readonly string[] | null;
  wrapChat?: boolean;
  /** The column `label` has votes (1, 2, or 0 for a tie), no truth values: CSV's stay text. */
  votes?: boolean;
  /** Receives each row that is skipped. */
  onSkipped?: (fault: DataError) => void;
}

/**
 * The rows of files as `read` makes them.
 * @throws DataError for a file without rows, and for the first bad row unless bad rows are skipped
 */
export async function readRows<Row>(
  files: readonly string[],
  read: (fields: Record<string, unknown>, place: Place) => Row,
  { onBadRow = 'fail', onSkipped, columns = null, wrapChat = false, votes = false }: ReadingOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  let first: DataError | null = null;
  const reject = (fault: DataError): void => {
    if (onBadRow === 'fail') throw fault;
    first ??= fault;
    onSkipped?.(fault);
  };
  await using source = await ValueSource.open(files, { columns, wrapChat, reject, votes });
  for await (const placed of source.iterate()) {
    try {
      rows.push(read(fieldsOf(source, placed), placed.place));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      reject(error);
    }
  }
  if (rows.length > 0) return rows;
  const fault = first as DataError | null;
  throw new DataError({
    file: files.join(', '),
    expected: 'at least one good row',
    found: fault === null ? 'none' : 'none: all are bad',
    ...(fault && { advice: `First fault: ${fault.message}` }),
  });
}

const fieldsOf = (source: ValueSource, placed: PlacedValue): Record<string, unknown> =>
  source.fields(placed);

/** @throws DataError as {@link readRows} */
export const readAnswers = (
  files: readonly string[],
  options: ReadingOptions = {},
): Promise<AnswerRow[]> => readRows(files, answerOf, options);

/** @throws DataError for a row in another form */
export function answerOf(fields: Record<string, unknown>, place: Place): AnswerRow {
  if ('instruction' in fields && 'output' in fields && !('completion' in fields)) {
    return alpacaOutput(fields, place);
  }
  const { completion, ...others } = fields;
  if (completion === undefined && ('chosen' in fields || 'rejected' in fields)) {
    throw new DataError({
      ...place,
      expected: 'one answer: "prompt" and "completion"',
      found: 'a pair ("chosen" and "rejected")',
      advice: 'To judge pairs of rows, pass the file as --pairs',
    });
  }
  if (completion === undefined) {
    throw new DataError({
      ...place,
      expected: '"prompt" and "completion", or "instruction" and "output" as in alpaca_eval',
      found: `the fields ${Object.keys(fields).join(', ')}`,
      advice: 'To read other columns, pass --columns prompt=…,completion=…',
    });
  }
  return {
    ...promptPart(others, place),
    place,
    answer: contentOf(completion, 'completion', others, place),
    model: nameIn(fields),
  };
}

/** alpaca_eval: its instruction is what a user says. */
function alpacaOutput(fields: Record<string, unknown>, place: Place): AnswerRow {
  const { instruction, output, ...others } = fields;
  const row = { ...others, prompt: userTurn(textOfField(instruction, 'instruction', place)) };
  return {
    ...promptPart(row, place),
    place,
    answer: assistantTurn(textOfField(output, 'output', place)),
    model: nameIn(fields),
  };
}

/** The prompt of a row, its settings for the chat template, and its other fields. */
export function promptPart(
  fields: Record<string, unknown>,
  place: Place,
): { prompt: Content; rendering?: Rendering; extra: Readonly<Record<string, unknown>> } {
  const row = parseRow('prompt', fields, place);
  const fault = leftOutOfPrompt(row);
  if (fault !== null) throw new DataError({ ...place, ...fault });
  const { prompt, rendering, extra } = row;
  return { prompt, extra, ...(rendering && { rendering }) };
}

/**
 * An answer as it is read from a row, which may be empty.
 * @param others the fields of the row that are not answers
 */
export function contentOf(
  value: unknown,
  field: string,
  others: Record<string, unknown>,
  place: Place,
): Content {
  if (value === '' || (Array.isArray(value) && value.length === 0)) {
    return typeof others.prompt === 'string' ? '' : assistantTurn('');
  }
  if (isEmptyTurn(value)) return assistantTurn('');
  try {
    return parseRow('completion', { prompt: others.prompt, completion: value }, place).completion;
  } catch (error) {
    if (!(error instanceof DataError) || error.field === undefined) throw error;
    const { expected, found, advice } = error;
    const named = error.field.replace(/^completion/, field);
    throw new DataError(
      { ...place, field: named, found, ...(expected && { expected }), ...(advice && { advice }) },
      { cause: error },
    );
  }
}

const isEmptyTurn = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length === 1 &&
  (value[0] as { role?: unknown } | null)?.role === 'assistant' &&
  (value[0] as { content?: unknown }).content === '';

export const userTurn = (content: string): Content => [{ role: 'user', content }];
export const assistantTurn = (content: string): Content => [{ role: 'assistant', content }];

/** @throws DataError unless the field is text */
export function textOfField(value: unknown, field: string, place: Place): string {
  if (typeof value === 'string') return value;
  const found = value === undefined ? 'nothing' : exactJson(value).slice(0, 60);
  throw new DataError({ ...place, field, expected: 'text', found });
}

/** The model's name in a row: `generator` as alpaca_eval writes it, or `model`. */
function nameIn({ generator, model }: Record<string, unknown>): string | null {
  const name = generator ?? model;
  return typeof name === 'string' && name !== '' ? name : null;
}
