// What all tasks with generated answers have in common: prompts, settings, and a check.

import { DataError } from '@keel/align';
import { exactJson, plainNumbers } from '@keel/model/exact-json';
import { type Check, CheckError, type CheckedRow, type CheckOutcome } from '../checks/check.ts';
import { type Reader, readerOf } from '../rows/doc-text.ts';
import type { Doc, Docs } from '../rows/docs.ts';
import { LiteralError, parsePythonLiteral } from '../rows/python-literal.ts';
import type { GenerationSettings } from '../tasks/generation.ts';
import { type Metric, mean, meanOf, shareOf } from '../tasks/metrics.ts';
import { contentOf, type Prompt, renderingOf } from './prompts.ts';
import { fingerprint, specPath } from './spec-path.ts';
import type { SpecOf } from './suite-schema.ts';

type Generating = Pick<
  SpecOf<'generation'>,
  | ('prompt' | 'system' | 'chat' | 'max_new_tokens' | 'temperature' | 'top_p')
  | ('samples' | 'stop' | 'seed')
>;

export const settingsOf = (spec: Generating): GenerationSettings => ({
  maxNewTokens: spec.max_new_tokens,
  temperature: spec.temperature,
  topP: spec.top_p,
  samples: spec.samples,
  stop: spec.stop,
  seed: spec.seed,
});

/** Reads the prompts of rows. @param written the key's text, if it is not `prompt` */
export function promptsOf(
  spec: Generating,
  place: string,
  { columns }: Docs,
  { key = 'prompt', written = spec.prompt } = {},
): (doc: Doc) => Prompt {
  const reader = readerOf(written, columns, `${place}: ${key}`);
  return (doc) => ({
    content: contentOf(reader, doc),
    system: spec.system ?? null,
    chat: spec.chat ?? null,
    rendering: renderingOf(doc),
  });
}

/** Reads what a right answer is; undefined without a key for it. */
export function targetsOf(
  written: string | undefined,
  place: string,
  { columns }: Docs,
): (doc: Doc) => CheckedRow['target'] {
  const usual = columns.has('answer') ? 'answer' : columns.has('target') ? 'target' : undefined;
  const name = written ?? usual;
  if (name === undefined) return () => undefined;
  const reader = readerOf(name, columns, `${place}: answer`);
  return (doc) => targetOf(reader, doc, written !== undefined);
}

function targetOf(reader: Reader, doc: Doc, required: boolean): CheckedRow['target'] {
  const value = plainNumbers(reader.column && !required ? doc.row[reader.name!] : reader.read(doc));
  if (value === undefined || value === null) return undefined;
  if (['string', 'number', 'bigint', 'boolean'].includes(typeof value)) {
    return reader.column ? (value as string) : listOr(value as string);
  }
  if (Array.isArray(value)) return value as string[];
  throw new DataError({
    ...doc.place,
    field: 'answer',
    expected: 'a text, a number, true, false, or a list of these',
    found: exactJson(value) ?? 'nothing',
  });
}

/** A template may write a list. */
function listOr(text: string): string | string[] {
  if (!/^\[[\s\S]*\]$/.test(text)) return text;
  try {
    return parsePythonLiteral(text) as string[];
  } catch (error) {
    if (error instanceof LiteralError) return text;
    throw error;
  }
}

/** The row as its check sees it. @throws DataError naming the row that the check cannot use */
export function checkedRow(
  check: Check,
  doc: Doc,
  { content, rendering }: Prompt,
  target: CheckedRow['target'],
): CheckedRow {
  const row: CheckedRow = {
    prompt: content,
    ...(rendering && { rendering }),
    // As a reward gets them in training.
    extra: plainNumbers(doc.row),
    ...(target !== undefined && { target }),
  };
  return atRow(doc, () => {
    check.admit(row);
    return row;
  });
}

/** Names the row in a check's error. */
export function atRow<T>({ place }: Doc, body: () => T): T {
  const named = (error: unknown): never => {
    if (!(error instanceof CheckError)) throw error;
    throw new DataError({ ...place, field: error.field, found: error.message }, { cause: error });
  };
  try {
    const found = body();
    return found instanceof Promise ? (found.catch(named) as T) : found;
  } catch (error) {
    return named(error);
  }
}

/** What a check depends on besides its specification: the text of a module that it names. */
export function checkIdentity(spec: string | object, folder: string): string {
  const module = typeof spec === 'string' ? spec : (spec as { module?: unknown }).module;
  return typeof module === 'string' ? fingerprint(specPath(module, folder)) : '';
}

/** The metrics of a check: its score, its labels, and what else it measures of some row. */
export async function checkMetrics(check: Check, rows: readonly CheckedRow[]): Promise<Metric[]> {
  // An answer without text shows which quantities a check measures.
  const asked = check.measuresVary ? rows : rows.slice(0, 1);
  const found = await Promise.all(asked.map((row) => check.check('', row).catch(() => null)));
  const [measured] = found as [CheckOutcome | null];
  const measures = Object.entries(
    Object.assign({}, ...found.map((one) => one?.measures)) as NonNullable<
      CheckOutcome['measures']
    >,
  );
  return [
    ...(measured !== null && measured.score === null && check.labels.length === 0
      ? []
      : [shareOf('score')]),
    ...check.labels.map((label) => shareOf(label)),
    ...measures.map(([name, { share = false, lowerIsBetter = false }]) => ({
      ...meanOf(name, !lowerIsBetter),
      share,
    })),
    { ...meanOf('cut_off', false), share: true },
  ];
}

/** Values of the answers to one prompt: means over them. */
export function checkValues(
  check: Check,
  outcomes: readonly CheckOutcome[],
): Record<string, number | { sum: number; count: number } | null> {
  const scores = outcomes.flatMap(({ score }) => score ?? []);
  const names = [...new Set(outcomes.flatMap(({ measures }) => Object.keys(measures ?? {})))];
  return {
    score: mean(scores),
    ...Object.fromEntries(
      check.labels.map((label) => [
        label,
        mean(outcomes.map((one) => Number(one.label === label))),
      ]),
    ),
    ...Object.fromEntries(
      names.map((name) => {
        const own = outcomes.flatMap(({ measures }) => measures?.[name] ?? []);
        return [
          name,
          {
            sum: own.reduce((sum, one) => sum + one.sum, 0),
            count: own.reduce((sum, one) => sum + one.count, 0),
          },
        ];
      }),
    ),
  };
}
