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
import { type RankingPairing, rankingPairs } from '../data/ranking-pairs.ts';
import type { PreferenceRow, RankingRow, RowKind } from '../data/rows.ts';
import { rankingFault, trainingFault } from '../data/training-fault.ts';
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
  const example = withoutOwnFields(withProbability(given), reading);
  if (example.kind === 'steps') return [checked('process', stepsRow(example), place)];
  const target = to ?? possible[example.kind][0]!;
  if (example.kind === 'ranking') {
    const ranking = parseRow('ranking', rankingRow(example), place);
    if (Math.max(...ranking.ranks) === 1 && target !== 'prompts') {
      return reading.skip('no answer is better than another');
    }
    if (target === 'rankings') return [checked('ranking', rankingRow(example), place)];
    refuseFault(rankingFault(ranking), place);
    return ofRanking(ranking, example, target, { index, pairing, seed }, reading);
  }
  // A chat that is labelled as bad must not be written without its label.
  const { label } = example.kind === 'chat' && target === 'sft' ? given.columns : {};
  const rows = ofOther(example, target, given.columns, reading);
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
  { prompt, columns, order }: ExampleOf<'ranking'>,
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
    reading.drop('completions', 'prompts have no answers');
    return [checked('prompt', { prompt, ...columns }, place)];
  }
  if (target === 'sft') {
    reading.drop('completions', 'only the best answer is written');
    const best = asRead(ranking.completions[ranking.ranks.indexOf(1)]!);
    return [checked('supervised', { prompt, completion: best, ...columns }, place)];
  }
  const pairs = pairsOf(ranking, how);
  if (pairs.length < allPairs(ranking)) {
    reading.drop('completions', `--pairing ${how.pairing} excludes some pairs`);
  }
  return pairs.flatMap(({ score_chosen, score_rejected, ...answers }) => {
    const [chosen, rejected] = [asRead(answers.chosen), asRead(answers.rejected)];
    const scores = score_chosen === undefined ? {} : { score_chosen, score_rejected };
    const pair = { prompt, chosen, rejected, ...scores, ...columns };
    if (target === 'pairs') return [checked('preference', pair, place)];
    if (score_chosen !== undefined) reading.drop('scores', 'a thumb is true or false');
    return thumbs(prompt, chosen, rejected, columns).map((row) => checked('unpaired', row, place));
  });
}

const allPairs = ({ ranks }: RankingRow): number =>
  ranks.reduce((sum, rank) => sum + ranks.filter((other) => other > rank).length, 0);

function pairsOf(
  ranking: RankingRow,
  { index, pairing, seed }: { index: number; pairing: ConvertPairing; seed: number },
): PreferenceRow[] {
  if (pairing !== 'best_random') return rankingPairs(ranking, pairing as RankingPairing);
  const best = ranking.completions[ranking.ranks.indexOf(1)];
  const ofBest = rankingPairs(ranking, 'all').filter(({ chosen }) => chosen === best);
  const hash = createHash('sha256').update(`${seed} ${index}`).digest();
  return [ofBest[hash.readUIntBE(0, 6) % ofBest.length]!];
}

function thumbs(
  prompt: unknown,
  chosen: unknown,
  rejected: unknown,
  columns: Fields,
  probability?: number,
): Fields[] {
  const [better, worse] = answerLabels(probability);
  return [
    { prompt, completion: chosen, ...better, ...columns },
    { prompt, completion: rejected, ...worse, ...columns },
  ];
}

/**
 * @param given all columns, also those that are not written
 * @returns null for an example that was skipped
 */
function ofOther(
  example: Exclude<Example, { kind: 'ranking' | 'steps' }>,
  target: Target,
  given: Fields,
  reading: Reading,
): Fields[] | null {
  const { columns } = example;
  switch (example.kind) {
    case 'text':
      return [{ text: example.text, ...columns }];
    case 'prompt':
      return [{ prompt: example.prompt, ...columns }];
    case 'chat': {
      if (target === 'sft') return [{ messages: example.messages, ...columns }];
      reading.drop('messages', 'prompts end before the last answer');
      return [{ prompt: beforeAnswer(example.messages), ...columns }];
    }
    case 'answer': {
      const { prompt, completion } = example;
      if (target === 'sft') return [{ prompt, completion, ...columns }];
      reading.drop('completion', 'prompts have no answers');
      return [{ prompt, ...columns }];
    }
    case 'thumb': {
      const { prompt, completion, label, label_probability: probability } = example;
      const known = probability !== undefined && { label_probability: probability };
      const whole = { prompt, completion, label, ...known };
      if (target === 'kto') return [{ ...whole, ...columns }];
      if (target === 'prompts') {
        const fields = ['completion', 'label', ...(known ? ['label_probability'] : [])];
        for (const name of fields) reading.drop(name, 'prompts have no answers');
        return [{ prompt, ...columns }];
      }
      const good = isDesirable(parseRow('unpaired', whole, reading.place));
      if (known) reading.drop('label_probability', 'sft rows have no label');
      return good ? [{ prompt, completion, ...columns }] : reading.skip('the answer is bad');
    }
    case 'pair':
      return ofPair(example, target, given, reading);
  }
}

function ofPair(
  example: ExampleOf<'pair'>,
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
  if (target === 'pairs') return [{ prompt, chosen, rejected, ...scores, ...columns }];
  const { margin, score_chosen: best, score_rejected: worst } = scores;
  const probability = probabilityIn({ ...given, ...whole }, reading.place);
  if (target === 'kto') {
    for (const name of Object.keys(scores)) {
      if (name !== LABEL_PROBABILITY) reading.drop(name, 'kto rows do not compare answers');
    }
    return thumbs(prompt, chosen, rejected, columns, probability);
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
    return [{ prompt, completions: [chosen, rejected], ranking, ...order, ...columns }];
  }
  for (const name of Object.keys(scores)) {
    reading.drop(name, `${target} rows do not compare answers`);
  }
  if (target === 'prompts') {
    reading.drop('chosen', 'prompts have no answers');
    reading.drop('rejected', 'prompts have no answers');
    return [{ prompt, ...columns }];
  }
  const other = swapped ? 'chosen' : 'rejected';
  reading.drop(other, `only the ${swapped ? 'more probably better' : 'chosen'} answer is written`);
  return [{ prompt, completion: swapped ? rejected : chosen, ...columns }];
}

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
