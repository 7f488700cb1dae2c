// Reads the pairs that a judge is to label: preference rows, lists of answers, or rows with one
// answer each, of which those to the same prompt belong together.
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { exactJson } from '@keel/model/exact-json';
import { type RowReading, rowsOf } from '../config/row-options.ts';
import { finishColumns, finishReasons } from '../data/finish-reasons.ts';
import { asRead, type Content, sameContent } from '../data/messages.ts';
import { openOneOf, type SourceOf } from '../data/open-either.ts';
import { openRows } from '../data/open-rows.ts';
import { type Rendering, renderingColumns } from '../data/rendering.ts';
import type { Row } from '../data/rows.ts';
import { trainingFault } from '../data/training-fault.ts';
import { drawWithoutRepetition } from './draw.ts';

export interface LabelPair {
  /** Index of the row that it comes from, from 0. */
  row: number;
  prompt: Content;
  rendering?: Rendering;
  extra: Readonly<Record<string, unknown>>;
  answers: readonly [Content, Content];
  /** What the row says about the first answer: the probability that it is better, if anything. */
  given: number | null;
  /** Of sampled answers: why each ended; undefined if its row does not say so. */
  reasons?: readonly [unknown, unknown];
}

const severalKinds = ['samples', 'completion'] as const;
const kinds = ['preference', ...severalKinds] as const;
type SeveralKind = (typeof severalKinds)[number];
type Kind = (typeof kinds)[number];

interface ReadRows {
  badRows: number;
  /** Prompts with fewer than two different answers. */
  single: number;
  /** Answers that `keel generate` cut off. */
  cutOff: number;
  /** Columns whose values are replaced by those of the label. */
  replaced: readonly string[];
  fingerprint: string;
}

export interface LabelData extends ReadRows {
  pairs: LabelPair[];
}

/** A prompt with different answers, two or more. */
export interface AnswerGroup extends Omit<LabelPair, 'answers' | 'given' | 'reasons'> {
  answers: Content[];
  /** Why each answer ended; undefined if its row does not say so. */
  reasons: unknown[];
}

/** Two answers of a group as a pair. */
export const pairOf = (
  { answers, reasons, ...about }: AnswerGroup,
  [first, second]: readonly [number, number],
): LabelPair => ({
  ...about,
  answers: [answers[first]!, answers[second]!],
  given: null,
  reasons: [reasons[first], reasons[second]],
});

/**
 * @param pairsPerPrompt pairs that are drawn of the answers to one prompt
 * @throws DataError for an invalid row
 */
export async function readLabelPairs(
  options: RowReading & { data: readonly string[]; onBadRow: 'fail' | 'skip' },
  { pairsPerPrompt, seed }: { pairsPerPrompt: number; seed: number },
): Promise<LabelData> {
  await using rows = await openOneOf<Kind>(
    { ...rowsOf(options), data: options.data, refuse: unlabelledFault },
    kinds,
  );
  const common = await commonOf(rows);
  if (rows.kind === 'preference') {
    return { ...common, single: 0, pairs: await preferencePairs(rows) };
  }
  const { groups, single } = await differing(rows);
  const pairs: LabelPair[] = [];
  for (const group of groups) {
    const places = [...group.answers.keys()];
    const all = places.flatMap((one) =>
      places.slice(one + 1).map((other): [number, number] => [one, other]),
    );
    const rounds = Math.min(pairsPerPrompt, all.length);
    for (const pair of drawWithoutRepetition(all, { seed, row: group.row, rounds })) {
      pairs.push(pairOf(group, pair));
    }
  }
  return { ...common, single, pairs };
}

/**
 * Answers by their prompts, for a judge that rates each of them.
 * @throws DataError for an invalid row, and for rows that are pairs already
 */
export async function readAnswerGroups(
  options: RowReading & { data: readonly string[]; onBadRow: 'fail' | 'skip' },
): Promise<ReadRows & { groups: AnswerGroup[] }> {
  await using rows = await openOneOf<SeveralKind>(
    { ...rowsOf(options), data: options.data, refuse: unlabelledFault },
    severalKinds,
  );
  const common = await commonOf(rows);
  return { ...common, ...(await differing(rows)) };
}

/**
 * People's labels of pairs, by {@link pairKey}.
 * @throws DataError for an invalid row
 */
export async function readHumanLabels(
  options: RowReading & { data: readonly string[]; onBadRow: 'fail' | 'skip' },
): Promise<{ labels: Map<string, LabelPair>; badRows: number }> {
  await using rows = await openRows(options.data, {
    ...{ ...rowsOf(options), kind: 'preference', refuse: unlabelledFault },
  });
  const pairs = await preferencePairs(rows);
  const labels = new Map(pairs.map((pair) => [pairKey(pair), pair]));
  return { labels, badRows: rows.badRowCount };
}

/** What training refuses, and numbers that belong to a label that may change. */
function unlabelledFault(row: Row): ReturnType<typeof trainingFault> {
  for (const field of ['margin', 'score_chosen', 'score_rejected'] as const) {
    const value = 'chosen' in row ? row[field] : undefined;
    if (value === undefined) continue;
    return {
      field,
      expected: `a pair without a ${field}, which belongs to another label`,
      found: String(value),
      advice: 'Remove the column',
    };
  }
  // A cut answer may be judged; how many there are is reported.
  const columns = Object.entries(row.extra).filter(([name]) => !finishColumns.includes(name));
  return trainingFault({ ...row, extra: Object.fromEntries(columns) });
}

/** Columns of the rows that are written, which replace those of the same name. */
const writtenColumns = ['row', 'labelled_by', 'judge_probability', 'principles'];

async function commonOf(rows: SourceOf<Kind>): Promise<Omit<ReadRows, 'single'>> {
  let cutOff = 0;
  const replaced = new Set<string>();
  for await (const { extra } of rows.iterate()) {
    for (const name of writtenColumns) if (Object.hasOwn(extra, name)) replaced.add(name);
    const reasons = finishColumns.flatMap((name) => extra[name] ?? []);
    cutOff += reasons.filter((reason) => reason === 'length').length;
  }
  const fingerprint = await rows.fingerprint();
  return { badRows: rows.badRowCount, cutOff, replaced: [...replaced], fingerprint };
}

/** A pair whichever of its answers comes first. */
export function pairKey({
  prompt,
  rendering,
  answers,
}: Pick<LabelPair, 'prompt' | 'rendering' | 'answers'>): string {
  const texts = answers.map((answer) => exactJson(asRead(answer))).sort();
  const whole = exactJson([asRead(prompt), renderingColumns(rendering), ...texts]);
  return createHash('sha256').update(whole).digest('hex');
}

async function preferencePairs(
  rows: Extract<SourceOf<Kind>, { kind: 'preference' }>,
): Promise<LabelPair[]> {
  const pairs: LabelPair[] = [];
  for (let row = 0; row < rows.length; row++) {
    const { prompt, chosen, rejected, rendering, extra, ...labels } = await rows.read(row);
    const given = labels.label_probability ?? 1;
    pairs.push({
      row,
      prompt,
      ...withRendering(rendering),
      extra,
      answers: [chosen, rejected],
      given,
    });
  }
  return pairs;
}

/** Groups without repeated answers, and the number of those with fewer than two. */
async function differing(
  rows: SourceOf<SeveralKind>,
): Promise<{ groups: AnswerGroup[]; single: number }> {
  const all = rows.kind === 'samples' ? await listed(rows) : await gathered(rows);
  const groups = all.flatMap((group) => {
    const kept = [...group.answers.keys()].filter((at) => {
      const one = group.answers[at]!;
      return group.answers.findIndex((other) => sameContent(one, other)) === at;
    });
    if (kept.length < 2) return [];
    const answers = kept.map((at) => group.answers[at]!);
    return [{ ...group, answers, reasons: kept.map((at) => group.reasons[at]) }];
  });
  return { groups, single: all.length - groups.length };
}

async function listed(rows: Extract<SourceOf<Kind>, { kind: 'samples' }>): Promise<AnswerGroup[]> {
  const groups: AnswerGroup[] = [];
  for (let row = 0; row < rows.length; row++) {
    const { prompt, completions, rendering, extra: all } = await rows.read(row);
    const { finish_reasons, ...others } = all;
    const reasons = finishReasons(finish_reasons, completions.length);
    const about = { row, prompt, ...withRendering(rendering) };
    groups.push({
      ...{ ...about, answers: completions },
      ...(reasons === null
        ? { extra: all, reasons: [] }
        : { extra: others, reasons: [...reasons] }),
    });
  }
  return groups;
}

/** Rows with one answer each, by prompt. */
async function gathered(
  rows: Extract<SourceOf<Kind>, { kind: 'completion' }>,
): Promise<AnswerGroup[]> {
  const groups = new Map<string, AnswerGroup>();
  for (let row = 0; row < rows.length; row++) {
    const { prompt, completion, rendering, extra: all } = await rows.read(row);
    const { finish_reason: reason, ...extra } = all;
    const key = exactJson([asRead(prompt), rendering ?? null]);
    const known = groups.get(key);
    if (known !== undefined) {
      known.answers.push(completion);
      known.reasons.push(reason);
      known.extra = shared(known.extra, extra);
    } else {
      const own = { row, prompt, ...withRendering(rendering), extra };
      groups.set(key, { ...own, answers: [completion], reasons: [reason] });
    }
  }
  return [...groups.values()];
}

/** The columns that are the same in both rows: others belong to one of the answers. */
const shared = (one: AnswerGroup['extra'], other: AnswerGroup['extra']): AnswerGroup['extra'] =>
  Object.fromEntries(
    Object.entries(one).filter(([name, value]) => isDeepStrictEqual(value, other[name])),
  );

const withRendering = (rendering: Rendering | undefined): { rendering?: Rendering } =>
  rendering === undefined ? {} : { rendering };
