// Turns an example into rows of Keel, of the requested kind.
import { createHash } from 'node:crypto';
import { setField } from '@keel/model/exact-json';
import { rowFields } from '../config/row-options.ts';
import type { Place } from '../data/data-error.ts';
import { DataError } from '../data/data-error.ts';
import { isEmpty } from '../data/is-empty.ts';
import {
  answerLabels,
  isDesirable,
  LABEL_PROBABILITY,
  likelier,
} from '../data/label-probability.ts';
import { asRead } from '../data/messages.ts';
import { parseRow } from '../data/parse-row.ts';
import { type RankingPairing, rankedPairs } from '../data/ranking-pairs.ts';
import type { PreferenceRow, RankingRow, RowKind } from '../data/rows.ts';
import { rankingFault, trainingFault } from '../data/training-fault.ts';
import { type Finishes, takeFinishes } from './finishes.ts';
import type { Example, ExampleKind, Fields, Reading } from './formats/example.ts';
import type { ConvertPairing, Target } from './target-names.ts';

export interface TargetOptions {
  /** null: the kind of row that an example is. */
  to: Target | null;
  pairing: ConvertPairing;
  seed: number;
}

/** What each kind of example can become; the first is the default. */
const possible: Readonly<Record<ExampleKind, readonly Target[]>> = {
  chat: ['sft', 'prompts'],
  answer: ['sft', 'prompts'],
  text: ['sft'],
  pair: ['pairs', 'sft', 'kto', 'rankings', 'prompts'],
  ranking: ['rankings', 'pairs', 'sft', 'kto', 'prompts'],
  thumb: ['kto', 'sft', 'prompts'],
  prompt: ['prompts'],
  steps: [],
};

/** The kinds of rows that an example can be written as. */
export const targetsOf = (kind: ExampleKind): readonly Target[] => possible[kind];

const kinds: Readonly<Record<Target, RowKind>> = {
  sft: 'supervised',
  pairs: 'preference',
  rankings: 'ranking',
  kto: 'unpaired',
  prompts: 'prompt',
};

/**
 * The rows of an example, checked as training checks them.
 * @param index of the example, for choices at random
 * @throws DataError for a row that no verb would take
 */
export function rowsOfExample(
  given: Example,
  index: number,
  { to, pairing, seed }: TargetOptions,
  reading: Reading,
): Fields[] | null {
  const { place } = reading;
  const { example, finishes } = takeFinishes(withoutOwnFields(withProbability(given), reading));
  if (example.kind === 'steps') return [checked('process', stepsRow(example), place)];
  const target = to ?? possible[example.kind][0]!;
  if (example.kind === 'ranking') {
    const whole = { ...rankingRow(example), ...finishes.all() };
    const ranking = parseRow('ranking', whole, place);
    if (Math.max(...ranking.ranks) === 1 && target !== 'prompts') {
      return reading.skip('no answer is better than another');
    }
    if (target === 'rankings') return [checked('ranking', whole, place)];
    refuseFault(rankingFault(ranking), place);
    return ofRanking(ranking, { ...example, finishes }, target, { index, pairing, seed }, reading);
  }
  // A chat that is labelled as bad must not be written without its label.
  const { label } = example.kind === 'chat' && target === 'sft' ? given.columns : {};
  const rows = ofOther(example, finishes, target, given.columns, reading);
  return rows?.map((row) => checked(kinds[target], row, place, { label })) ?? null;
}

/** Columns that a chat template receives, whatever the row holds. */
const rendered: readonly string[] = ['tools', 'chat_template_kwargs'];
const ownFields: ReadonlySet<string> = new Set(
  rowFields.filter((name) => !rendered.includes(name)),
);

/** No other tool has a column of this name, so it means the same whatever the format is. */
function withProbability(example: Example): Example {
  const { [LABEL_PROBABILITY]: probability, ...columns } = example.columns;
  if (isEmpty(probability)) return example;
  const own = { [LABEL_PROBABILITY]: probability };
  if (example.kind === 'pair') {
    return { ...example, scores: { ...example.scores, ...own }, columns };
  }
  return example.kind === 'thumb' ? { ...example, ...own, columns } : example;
}

/**
 * The example without columns that have the name of a field of rows. Such columns would replace a
 * written field, or be read as one. Next to a prompt alone, they are columns for rewards.
 */
function withoutOwnFields<Kept extends Example>(example: Kept, { drop }: Reading): Kept {
  if (example.kind === 'prompt') return example;
  const columns: Fields = {};
  for (const [name, value] of Object.entries(example.columns)) {
    if (!ownFields.has(name)) setField(columns, name, value);
    else if (!isEmpty(value)) drop(name, 'the row was read by its other fields');
  }
  return { ...example, columns };
}

const checked = (kind: RowKind, row: Fields, place: Place, left: Fields = {}): Fields => {
  const parsed = parseRow(kind, row, place);
  const extra = { ...parsed.extra, ...left };
  if (kind !== 'prompt') refuseFault(trainingFault({ ...parsed, extra }), place);
  return row;
};

const refuseFault = (fault: ReturnType<typeof trainingFault>, place: Place): void => {
  if (fault !== null) throw new DataError({ ...place, ...fault });
};

type ExampleOf<Kind extends ExampleKind> = Extract<Example, { kind: Kind }>;

const rankingRow = ({ prompt, completions, order, columns }: ExampleOf<'ranking'>): Fields => ({
  ...{ prompt, completions },
  ...order,
  ...columns,
});

const stepsRow = ({ prompt, completions, labels, columns }: ExampleOf<'steps'>): Fields => ({
  ...{ prompt, completions, labels },
  ...columns,
});

/** Rows of a ranking, of another kind. */
function ofRanking(
  ranking: RankingRow,
  { prompt, columns, order, finishes }: ExampleOf<'ranking'> & { finishes: Finishes },
  target: Exclude<Target, 'rankings'>,
  how: { index: number; pairing: ConvertPairing; seed: number },
  reading: Reading,
): Fields[] {
  const { place } = reading;
  if (target === 'prompts' || target === 'sft') {
    for (const name of Object.keys(order)) {
      reading.drop(name, `${target} rows do not compare answers`);
    }
  }
  if (target === 'prompts') {
    dropAnswers(reading, 'completions', ...finishes.names);
    return [checked('prompt', { prompt, ...columns }, place)];
  }
  if (target === 'sft') {
    reading.drop('completions', 'only the best answer is written');
    const best = ranking.ranks.indexOf(1);
    const completion = asRead(ranking.completions[best]!);
    return [
      checked('supervised', { prompt, completion, ...columns, ...finishes.single(best) }, place),
    ];
  }
  const pairs = pairsOf(ranking, how);
  if (pairs.length < rankedPairs(ranking.ranks, 'all').length) {
    reading.drop('completions', `--pairing ${how.pairing} excludes some pairs`);
  }
  const { completions, scores } = ranking;
  return pairs.flatMap(([better, worse]) => {
    const [chosen, rejected] = [asRead(completions[better]!), asRead(completions[worse]!)];
    if (target === 'pairs') {
      const both = scores && { score_chosen: scores[better], score_rejected: scores[worse] };
      const rest = { ...both, ...columns, ...finishes.pair(better, worse) };
      return [checked('preference', { prompt, chosen, rejected, ...rest }, place)];
    }
    if (scores !== undefined) reading.drop('scores', 'a thumb is true or false');
    const good = { completion: chosen, ...finishes.single(better) };
    const bad = { completion: rejected, ...finishes.single(worse) };
    return thumbs(prompt, good, bad, columns).map((row) => checked('unpaired', row, place));
  });
}

function pairsOf(
  { ranks }: RankingRow,
  { index, pairing, seed }: { index: number; pairing: ConvertPairing; seed: number },
): [better: number, worse: number][] {
  if (pairing !== 'best_random') return rankedPairs(ranks, pairing as RankingPairing);
  const best = ranks.indexOf(1);
  const ofBest = rankedPairs(ranks, 'all').filter(([better]) => better === best);
  const hash = createHash('sha256').update(`${seed} ${index}`).digest();
  return [ofBest[hash.readUIntBE(0, 6) % ofBest.length]!];
}

/** @param better and `worse`: the answers, with the columns that are theirs */
function thumbs(
  prompt: unknown,
  better: Fields,
  worse: Fields,
  columns: Fields,
  probability?: number,
): Fields[] {
  const labels = answerLabels(probability);
  return [
    { prompt, ...better, ...labels[0], ...columns },
    { prompt, ...worse, ...labels[1], ...columns },
  ];
}

/**
 * @param given all columns, also those that are not written
 * @returns null for an example that was skipped
 */
function ofOther(
  example: Exclude<Example, { kind: 'ranking' | 'steps' }>,
  finishes: Finishes,
  target: Target,
  given: Fields,
  reading: Reading,
): Fields[] | null {
  const alone = example.kind !== 'pair' && target !== 'prompts';
  const columns = { ...example.columns, ...(alone && finishes.single(0)) };
  switch (example.kind) {
    case 'text':
      return [{ text: example.text, ...columns }];
    case 'prompt':
      return [{ prompt: example.prompt, ...columns }];
    case 'chat': {
      if (target === 'sft') return [{ messages: example.messages, ...columns }];
      reading.drop('messages', 'prompts end before the last answer');
      dropAnswers(reading, ...finishes.names);
      return [{ prompt: beforeAnswer(example.messages), ...columns }];
    }
    case 'answer': {
      const { prompt, completion } = example;
      if (target === 'sft') return [{ prompt, completion, ...columns }];
      dropAnswers(reading, 'completion', ...finishes.names);
      return [{ prompt, ...columns }];
    }
    case 'thumb': {
      const { prompt, completion, label, label_probability: probability } = example;
      const known = probability !== undefined && { label_probability: probability };
      const whole = { prompt, completion, label, ...known };
      if (target === 'kto') return [{ ...whole, ...columns }];
      if (target === 'prompts') {
        const fields = ['completion', 'label', ...(known ? ['label_probability'] : [])];
        dropAnswers(reading, ...fields, ...finishes.names);
        return [{ prompt, ...columns }];
      }
      const good = isDesirable(parseRow('unpaired', whole, reading.place));
      if (known) reading.drop('label_probability', 'sft rows have no label');
      return good ? [{ prompt, completion, ...columns }] : reading.skip('the answer is bad');
    }
    case 'pair':
      return ofPair(example, finishes, target, given, reading);
  }
}

function ofPair(
  example: ExampleOf<'pair'>,
  finishes: Finishes,
  target: Target,
  given: Fields,
  reading: Reading,
): Fields[] | null {
  const { scores, columns } = example;
  const whole = {
    ...(example.prompt !== undefined && { prompt: example.prompt }),
    ...{ chosen: example.chosen, rejected: example.rejected },
    ...scores,
  };
  // Without a prompt, it is the common beginning of both answers.
  const { prompt, chosen, rejected } =
    example.prompt === undefined
      ? splitPair({ ...given, ...whole }, reading.place)
      : { ...example, prompt: example.prompt };
  if (target === 'pairs') {
    return [{ prompt, chosen, rejected, ...scores, ...columns, ...finishes.pair(0, 1) }];
  }
  const { margin, score_chosen: best, score_rejected: worst } = scores;
  const probability = probabilityIn({ ...given, ...whole }, reading.place);
  if (target === 'kto') {
    for (const name of Object.keys(scores)) {
      if (name !== LABEL_PROBABILITY) reading.drop(name, 'kto rows do not compare answers');
    }
    const better = { completion: chosen, ...finishes.single(0) };
    const worse = { completion: rejected, ...finishes.single(1) };
    return thumbs(prompt, better, worse, columns, probability);
  }
  if (target !== 'prompts' && likelier(probability) === 0) {
    return reading.skip('neither answer is more probably better');
  }
  const swapped = likelier(probability) < 0;
  if (target === 'rankings') {
    if (probability !== undefined) {
      reading.drop(
        LABEL_PROBABILITY,
        'a ranking has no probability: the more probable answer is first',
      );
    }
    if (margin !== undefined) reading.drop('margin', 'a ranking has no margin');
    const order = best !== undefined && worst !== undefined ? { scores: [best, worst] } : {};
    if (!('scores' in order) && (best ?? worst) !== undefined) {
      const alone = best === undefined ? 'score_rejected' : 'score_chosen';
      reading.drop(alone, 'a ranking has a score for each answer, or none');
    }
    const ranking = swapped ? [2, 1] : [1, 2];
    const both = { completions: [chosen, rejected], ranking, ...order };
    return [{ prompt, ...both, ...columns, ...finishes.all() }];
  }
  for (const name of Object.keys(scores)) {
    reading.drop(name, `${target} rows do not compare answers`);
  }
  if (target === 'prompts') {
    dropAnswers(reading, 'chosen', 'rejected', ...finishes.names);
    return [{ prompt, ...columns }];
  }
  const other = swapped ? 'chosen' : 'rejected';
  reading.drop(other, `only the ${swapped ? 'more probably better' : 'chosen'} answer is written`);
  const own = finishes.single(swapped ? 1 : 0);
  return [{ prompt, completion: swapped ? rejected : chosen, ...columns, ...own }];
}

const dropAnswers = (reading: Reading, ...names: string[]): void => {
  for (const name of names) reading.drop(name, 'prompts have no answers');
};

/** The checked probability of a pair's label; undefined if it has none. */
const probabilityIn = (row: Fields, place: Place): number | undefined =>
  row[LABEL_PROBABILITY] == null ? undefined : parseRow('preference', row, place).label_probability;

/** The common beginning of both answers, and the answers without it. */
function splitPair(
  row: Fields,
  place: Place,
): Pick<PreferenceRow, 'prompt' | 'chosen' | 'rejected'> {
  const { prompt, chosen, rejected } = parseRow('preference', row, place);
  return { prompt: asRead(prompt), chosen: asRead(chosen), rejected: asRead(rejected) };
}

/** The messages up to the last one that is neither the assistant's nor a tool's. */
function beforeAnswer(messages: readonly unknown[]): unknown[] {
  const isAnswer = (one: unknown): boolean => {
    const { role } = (one ?? {}) as { role?: unknown };
    return role === 'assistant' || role === 'tool';
  };
  return messages.slice(0, messages.findLastIndex((one) => !isAnswer(one)) + 1);
}
