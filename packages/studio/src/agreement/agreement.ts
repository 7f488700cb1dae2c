// How much people agree: with each other beyond chance, with the majority of the others, with gold,
// and whether they prefer a side or the longer answer.
import {
  type Agreement,
  cohenKappa,
  fleissKappa,
  krippendorffAlpha,
  type Proportion,
  quantile,
  wilsonInterval,
} from '@keel/statistics';
import type { TaskKind } from '../store/schema.ts';
import type { Votes } from '../store/votes.ts';
import { categories, prefersLonger, type Unit, unitsOf } from './units.ts';

export interface KindAgreement {
  kind: TaskKind;
  /** Rated units: tasks, or of rankings two answers each. */
  units: number;
  ratings: number;
  /** Ratings by category. */
  counts: Readonly<Record<string, number>>;
  fleiss: Agreement;
  krippendorff: Agreement;
  /** Of each two people who rated units in common, most units first. */
  cohen: readonly { people: readonly [string, string]; kappa: Agreement }[];
}

/** Shares with their intervals; null where nothing could be counted. */
export interface Habits {
  verdicts: number;
  /** Of the decided pairs that were seen in a known order: the one that was on the left. */
  left: Proportion | null;
  /** Of the decided pairs with answers of different length: the longer one. */
  longer: Proportion | null;
  /** Median time of a verdict, in seconds; null where none is recorded. */
  seconds: number | null;
  /**
   * Verdicts given after the person had been shown a suggestion on the task, or from before Keel
   * recorded whether one was shown: they are not surely independent.
   */
  afterSuggestion: number;
}

export interface PersonAgreement extends Habits {
  person: string;
  /** Of the units in which most of the others chose the same: the person too. */
  majority: Proportion | null;
  gold: Proportion | null;
}

export interface AgreementReport {
  tasks: number;
  people: readonly PersonAgreement[];
  all: Habits;
  skipped: number;
  kinds: readonly KindAgreement[];
}

/** Many people make many pairs of people: those with the most units in common are measured. */
const MOST_COHEN = 20;

/** @throws RangeError if there is no verdict */
export function agreementOf(votes: Votes): AgreementReport {
  if (votes.lines.length === 0) throw new RangeError('there is no verdict yet');
  const { people } = votes;
  const kinds = unitsOf(votes);
  const hits = people.map((): Hits => ({ majority: [0, 0], gold: [0, 0] }));
  for (const { kind, units } of kinds) countHits(units, categories[kind].length, hits);
  const habits = habitsOf(votes);
  return {
    tasks: tasksIn(votes),
    all: habits.all,
    skipped: votes.skipped,
    people: people.map((person, at) => ({
      person,
      ...habits.people[at]!,
      majority: share(hits[at]!.majority),
      gold: share(hits[at]!.gold),
    })),
    kinds: kinds.map(({ kind, units }) => kindAgreement(kind, units, people)),
  };
}

/** Tasks with a verdict: the lines are in their order. */
const tasksIn = ({ lines }: Votes): number =>
  lines.reduce((count, { task }, at) => count + Number(task !== lines[at - 1]?.task), 0);

function kindAgreement(
  kind: TaskKind,
  units: readonly Unit[],
  people: readonly string[],
): KindAgreement {
  const names = categories[kind];
  const counts = names.map(() => 0);
  let most = 0;
  for (const { ratings } of units) {
    most = Math.max(most, ratings.length);
    for (const rating of ratings) counts[rating]! += 1;
  }
  // Who rated does not matter here, and units with the same ratings are one with a count.
  const patterns = new Map<string | number, { ratings: readonly number[]; count: number }>();
  for (const { ratings } of units) {
    const key = keyOf(ratings, names.length);
    const known = patterns.get(key);
    if (known === undefined) patterns.set(key, { ratings, count: 1 });
    else known.count += 1;
  }
  const rows = [...patterns.values()];
  const table = Array.from({ length: most }, (_, row) =>
    rows.map(({ ratings }) => ratings[row] ?? null),
  );
  const options = { counts: rows.map(({ count }) => count) };
  return {
    kind,
    units: units.length,
    ratings: counts.reduce((sum, count) => sum + count, 0),
    counts: Object.fromEntries(names.map((name, at) => [name, counts[at]!])),
    fleiss: fleissKappa(table, options),
    krippendorff: krippendorffAlpha(table, 'nominal', options),
    cohen: cohenPairs(units, names.length, people),
  };
}

/** Equal for equal ratings. A number is found faster than a text, where it can be exact. */
function keyOf(ratings: readonly number[], size: number): string | number {
  let key = 0;
  for (const rating of ratings) key = key * (size + 1) + rating + 1;
  return key < Number.MAX_SAFE_INTEGER ? key : ratings.join(' ');
}

function cohenPairs(
  units: readonly Unit[],
  size: number,
  people: readonly string[],
): KindAgreement['cohen'] {
  /** How often the two rated what, by the pair of people: [first's rating, second's rating] */
  const common = new Map<number, Uint32Array>();
  for (const { people: own, ratings } of units) {
    for (let i = 0; i < own.length; i++) {
      for (let j = i + 1; j < own.length; j++) {
        const [a, b] = own[i]! > own[j]! ? [j, i] : [i, j];
        const key = own[a]! * people.length + own[b]!;
        let table = common.get(key);
        if (table === undefined) {
          table = new Uint32Array(size * size);
          common.set(key, table);
        }
        table[ratings[a]! * size + ratings[b]!]! += 1;
      }
    }
  }
  const first = Array.from({ length: size * size }, (_, at) => Math.floor(at / size));
  const second = first.map((_, at) => at % size);
  // A bootstrap for each two of many people takes long.
  const interval = common.size === 1 ? 'auto' : 'jackknife';
  return [...common]
    .map(([key, table]) => ({ key, table, units: table.reduce((sum, one) => sum + one, 0) }))
    .sort((a, b) => b.units - a.units)
    .slice(0, MOST_COHEN)
    .map(({ key, table }) => ({
      people: [people[Math.floor(key / people.length)]!, people[key % people.length]!] as const,
      kappa: cohenKappa(first, second, { counts: [...table], interval }),
    }));
}

interface Hits {
  majority: [hits: number, count: number];
  gold: [hits: number, count: number];
}

function countHits(units: readonly Unit[], size: number, hits: readonly Hits[]): void {
  const counts = new Uint32Array(size);
  for (const { people, ratings, gold } of units) {
    counts.fill(0);
    for (const rating of ratings) counts[rating]! += 1;
    for (let at = 0; at < people.length; at++) {
      const [person, rating] = [people[at]!, ratings[at]!];
      if (gold !== null) addTo(hits[person]!.gold, rating === gold);
      if (ratings.length < 2) continue;
      // The majority of the others: a person's own verdict does not count.
      counts[rating]! -= 1;
      const winner = onlyHighest(counts);
      if (winner !== null) addTo(hits[person]!.majority, rating === winner);
      counts[rating]! += 1;
    }
  }
}

/** The place of the highest count; null if it occurs twice. */
function onlyHighest(counts: Uint32Array): number | null {
  let [best, twice] = [0, false];
  for (let at = 1; at < counts.length; at++) {
    if (counts[at]! > counts[best]!) [best, twice] = [at, false];
    else if (counts[at] === counts[best]) twice = true;
  }
  return twice ? null : best;
}

function addTo(sums: [hits: number, count: number], hit: boolean): void {
  sums[0] += Number(hit);
  sums[1] += 1;
}

interface Sums {
  verdicts: number;
  left: [hits: number, count: number];
  longer: [hits: number, count: number];
  seconds: number[];
  afterSuggestion: number;
}

function habitsOf({ lines, people }: Votes): { all: Habits; people: Habits[] } {
  const empty = (): Sums => ({
    ...{ verdicts: 0, left: [0, 0], longer: [0, 0], seconds: [], afterSuggestion: 0 },
  });
  const own = people.map(empty);
  const all = empty();
  for (const { task, person, choice, first, seconds, afterSuggestion } of lines) {
    const { kind, lengths } = task;
    const longer = kind === 'pair' ? prefersLonger(choice, lengths) : null;
    const decided = choice === 'left' || choice === 'right';
    const one = own[person]!;
    one.verdicts += 1;
    if (seconds !== null) one.seconds.push(seconds);
    if (afterSuggestion !== false) one.afterSuggestion += 1;
    if (decided && first !== null) addTo(one.left, (choice === 'left') === (first === 0));
    if (longer !== null) addTo(one.longer, longer);
  }
  for (const one of own) {
    all.verdicts += one.verdicts;
    all.afterSuggestion += one.afterSuggestion;
    for (const seconds of one.seconds) all.seconds.push(seconds);
    for (const name of ['left', 'longer'] as const) {
      all[name][0] += one[name][0];
      all[name][1] += one[name][1];
    }
  }
  const made = ({ verdicts, left, longer, seconds, afterSuggestion }: Sums): Habits => ({
    ...{ verdicts, afterSuggestion, left: share(left), longer: share(longer) },
    seconds: seconds.length === 0 ? null : quantile(new Float64Array(seconds).sort(), 0.5),
  });
  return { all: made(all), people: own.map(made) };
}

const share = ([hits, count]: readonly number[]): Proportion | null =>
  count === 0
    ? null
    : { value: hits! / count!, count: count!, interval: wilsonInterval(hits!, count!) };
