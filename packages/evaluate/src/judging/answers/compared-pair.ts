// Two answers to one prompt that are to be compared, and how they are found in two files.
import { isDeepStrictEqual } from 'node:util';
import { DataError } from '@keel/align';
import { type Content, type Place, placeName, type Rendering } from '@keel/align/data';
import type { JudgedPrompt } from '@keel/align/judges';
import { type AnswerRow, promptKey } from './answer-row.ts';

export interface ComparedPair extends JudgedPrompt {
  /** Index among the pairs, from 0. */
  row: number;
  category: string | null;
  modelA: string;
  modelB: string;
  answers: readonly [a: Content, b: Content];
}

export interface PairFields {
  /** Column with a good answer, for judges that compare with one. */
  reference?: string | null;
  /** Column by which the summary is grouped (default: `category`, otherwise `dataset`). */
  category?: string | null;
}

export interface PairingOptions extends PairFields {
  /** Names of the models, for rows that do not name them. */
  names: readonly [a: string, b: string];
  /** What to do with answers whose prompt the other side does not have. */
  unpaired: 'fail' | 'skip';
}

export interface Pairing {
  pairs: ComparedPair[];
  /** Answers without a partner, by side. */
  unpaired: readonly [a: readonly AnswerRow[], b: readonly AnswerRow[]];
}

/** Answers without a partner that an error lists, by side. */
const LISTED = 3;

/**
 * Pairs answers by their prompts. Where a prompt occurs several times, the first answer of one side
 * goes with the first of the other, and so on.
 * @throws DataError naming answers without a partner, unless these are skipped
 */
export function pairAnswers(
  a: readonly AnswerRow[],
  b: readonly AnswerRow[],
  options: PairingOptions,
): Pairing {
  const waiting = new Map<string, AnswerRow[]>();
  for (const row of b) {
    const key = promptKey(row.prompt, row.rendering);
    const others = waiting.get(key);
    if (others === undefined) waiting.set(key, [row]);
    else others.push(row);
  }
  const pairs: ComparedPair[] = [];
  const alone: AnswerRow[] = [];
  for (const row of a) {
    const partner = waiting.get(promptKey(row.prompt, row.rendering))?.shift();
    if (partner === undefined) alone.push(row);
    else pairs.push(pairOf(row, partner, pairs.length, options));
  }
  const left = [...waiting.values()].flat();
  const unpaired = [alone, left] as const;
  if (pairs.length === 0) refuseUnpaired(a, b, unpaired, 'No prompt is in both files');
  if (options.unpaired === 'fail') refuseUnpaired(a, b, unpaired);
  return { pairs, unpaired };
}

function pairOf(a: AnswerRow, b: AnswerRow, row: number, options: PairingOptions): ComparedPair {
  const extra = { ...b.extra, ...a.extra };
  const rendering = sharedRendering(a.rendering, b.rendering);
  return {
    ...fieldsOfPair(extra, a.place, options),
    row,
    prompt: a.prompt,
    extra,
    ...(rendering && { rendering }),
    modelA: a.model ?? options.names[0],
    modelB: b.model ?? options.names[1],
    answers: [a.answer, b.answer],
  };
}

/** The tools of a pair, which both rows have, and the template variables that are the same. */
function sharedRendering(a?: Rendering, b?: Rendering): Rendering | undefined {
  if (a === undefined || b === undefined) return undefined;
  const variables = Object.fromEntries(
    Object.entries(a.variables).filter(([name, value]) =>
      isDeepStrictEqual(value, b.variables[name]),
    ),
  );
  return a.tools === null && Object.keys(variables).length === 0
    ? undefined
    : { tools: a.tools, variables };
}

/** The category and the reference answer of a row. @throws DataError for one that is missing */
export function fieldsOfPair(
  extra: Readonly<Record<string, unknown>>,
  place: Place,
  { reference = null, category = null }: PairFields,
): Pick<ComparedPair, 'category' | 'reference'> {
  const found = categoryOf(extra, category);
  if (category !== null && found === null) throw missing(category, '--category', place);
  if (reference === null) return { category: found };
  const good = extra[reference];
  if (typeof good !== 'string' && !Array.isArray(good)) {
    throw missing(reference, '--reference', place);
  }
  return { category: found, reference: good as Content };
}

function categoryOf(
  extra: Readonly<Record<string, unknown>>,
  column: string | null,
): string | null {
  const names = column === null ? ['category', 'dataset'] : [column];
  const value = names.map((name) => extra[name]).find((one) => one !== undefined && one !== null);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

const missing = (field: string, flag: string, place: Place): DataError =>
  new DataError({
    ...place,
    field,
    expected: `a value in every row, as ${flag} ${field} asks for`,
    found: 'nothing',
    advice: 'Add the field to the row, or remove the option',
  });

/** @throws DataError naming answers without a partner */
export function refuseUnpaired(
  a: readonly AnswerRow[],
  b: readonly AnswerRow[],
  [alone, left]: Pairing['unpaired'],
  why?: string,
): void {
  if (alone.length + left.length === 0) return;
  const listed = (rows: readonly AnswerRow[], all: readonly AnswerRow[]): string[] => {
    if (rows.length === 0) return [];
    const named = rows.slice(0, LISTED).map(({ place }) => placeName(place));
    const more = rows.length > LISTED ? ', …' : '';
    return [`${rows.length} of ${all.length} answers (${named.join(', ')}${more})`];
  };
  const first = (alone[0] ?? left[0])!;
  const asked = new Set(left.map(({ prompt }) => promptKey(prompt)));
  const tools = alone.some(({ prompt }) => asked.has(promptKey(prompt)));
  const both = [...listed(alone, a), ...listed(left, b)].join(' and ');
  throw new DataError({
    ...first.place,
    found: `the prompts of ${both} have no answer in the other file`,
    advice: tools
      ? 'Some differ in their "tools" only, which are part of a prompt: give both the same'
      : why === undefined
        ? 'Generate the missing answers, or skip such rows with --unpaired skip'
        : `${why}: pass two files of answers to the same prompts`,
  });
}
