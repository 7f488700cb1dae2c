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
import type { Votes } from '../store/reading.ts';
import type { TaskKind } from '../store/schema.ts';
import { categories, peopleIn, prefersLonger, type Unit, unitsOf } from './units.ts';

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
  /** Of the decided pairs that were seen in a known order: the left one. */
  left: Proportion | null;
  /** Of the decided pairs with answers of different length: the longer one. */
  longer: Proportion | null;
  /** Median time of a verdict, in seconds; null where none is recorded. */
  seconds: number | null;
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
  const people = peopleIn(votes);
  const kinds = unitsOf(votes, people);
  const hits = people.map(() => ({ majority: [0, 0], gold: [0, 0] }) as const);
  for (const { units } of kinds) for (const unit of units) countHits(unit, hits);
  const habits = habitsOf(votes, people);
  return {
    tasks: new Set(votes.lines.map(({ task }) => task)).size,
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

function kindAgreement(
  kind: TaskKind,
  units: readonly Unit[],
  people: readonly string[],
): KindAgreement {
  const names = categories[kind];
  const counts = names.map(() => 0);
  let most = 0;
  for (const { ratings } of units) {
    most = Math.max(most, ratings.size);
    for (const rating of ratings.values()) counts[rating]! += 1;
  }
  // Who rated does not matter here, so a table of the most ratings of a unit is enough.
  const table = Array.from({ length: most }, () =>
    new Array<number | null>(units.length).fill(null),
  );
  for (const [at, { ratings }] of units.entries()) {
    let row = 0;
    for (const rating of ratings.values()) table[row++]![at] = rating;
  }
  return {
    kind,
    units: units.length,
    ratings: counts.reduce((sum, count) => sum + count, 0),
    counts: Object.fromEntries(names.map((name, at) => [name, counts[at]!])),
    fleiss: fleissKappa(table),
    krippendorff: krippendorffAlpha(table, 'nominal'),
    cohen: cohenPairs(units, people),
  };
}

function cohenPairs(units: readonly Unit[], people: readonly string[]): KindAgreement['cohen'] {
  const common = new Map<number, [number, number][]>();
  for (const { ratings } of units) {
    const all = [...ratings].sort(([a], [b]) => a - b);
    for (let i = 0; i < all.length; i++) {
      for (let j = i + 1; j < all.length; j++) {
        const key = all[i]![0] * people.length + all[j]![0];
        const list = common.get(key);
        const both: [number, number] = [all[i]![1], all[j]![1]];
        if (list === undefined) common.set(key, [both]);
        else list.push(both);
      }
    }
  }
  // A bootstrap for each two of many people takes long.
  const interval = common.size === 1 ? 'auto' : 'jackknife';
  return [...common]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, MOST_COHEN)
    .map(([key, both]) => ({
      people: [people[Math.floor(key / people.length)]!, people[key % people.length]!] as const,
      kappa: cohenKappa(
        both.map(([one]) => one),
        both.map(([, other]) => other),
        { interval },
      ),
    }));
}

type Hits = { majority: readonly number[]; gold: readonly number[] };

function countHits({ ratings, gold }: Unit, hits: readonly Hits[]): void {
  const counts = new Map<number, number>();
  for (const rating of ratings.values()) counts.set(rating, (counts.get(rating) ?? 0) + 1);
  const add = (list: readonly number[], hit: boolean): void => {
    const sums = list as number[];
    sums[0]! += Number(hit);
    sums[1]! += 1;
  };
  for (const [person, rating] of ratings) {
    if (gold !== null) add(hits[person]!.gold, rating === gold);
    if (ratings.size < 2) continue;
    // The majority of the others: a person's own verdict does not count.
    counts.set(rating, counts.get(rating)! - 1);
    const most = Math.max(...counts.values());
    const winners = [...counts].filter(([, count]) => count === most);
    if (winners.length === 1) add(hits[person]!.majority, rating === winners[0]![0]);
    counts.set(rating, counts.get(rating)! + 1);
  }
}

function habitsOf(
  { lines, tasks }: Votes,
  people: readonly string[],
): { all: Habits; people: Habits[] } {
  const numbers = new Map(people.map((name, at) => [name, at]));
  const empty = () => ({ verdicts: 0, left: [0, 0], longer: [0, 0], seconds: [] as number[] });
  const own = people.map(empty);
  const all = empty();
  for (const line of lines) {
    const longer = prefersLonger(line, tasks.get(line.task)?.lengths);
    const decided = line.choice === 'left' || line.choice === 'right';
    for (const one of [own[numbers.get(line.person)!]!, all]) {
      one.verdicts += 1;
      if (line.seconds !== null) one.seconds.push(line.seconds);
      if (decided && line.shown) {
        one.left[0]! += Number(line.choice === 'left');
        one.left[1]! += 1;
      }
      if (longer !== null) {
        one.longer[0]! += Number(longer);
        one.longer[1]! += 1;
      }
    }
  }
  const made = ({ verdicts, left, longer, seconds }: ReturnType<typeof empty>): Habits => ({
    ...{ verdicts, left: share(left), longer: share(longer) },
    seconds: seconds.length === 0 ? null : quantile(Float64Array.from(seconds).sort(), 0.5),
  });
  return { all: made(all), people: own.map(made) };
}

const share = ([hits, count]: readonly number[]): Proportion | null =>
  count === 0
    ? null
    : { value: hits! / count!, count: count!, interval: wilsonInterval(hits!, count!) };
