// How well each person works: pace, sides, gold tasks and agreement with the others, with what is
// remarkable in plain words.
import { dawidSkene, type Proportion, signTest, wilsonInterval } from '@keel/statistics';
import type { PreferenceStore } from '../store/preference-store.ts';
import type { Choice, TaskKind } from '../store/schema.ts';
import type { SideRun, Votes } from '../store/votes.ts';
import { agreementOf } from './agreement.ts';
import { categories, labelTable, unitsOf } from './units.ts';

/** What is remarkable about a person's verdicts. */
export const qualityFlags = [
  'too fast',
  'always left',
  'always right',
  'mostly left',
  'mostly right',
  'long streak',
  'misses gold',
  'disagrees with the others',
] as const;
export type QualityFlag = (typeof qualityFlags)[number];

/** What a person says, by what is most probably right (Dawid and Skene 1979). */
export interface Confusion {
  kind: TaskKind;
  choices: readonly Choice[];
  /** Units that others rated too, of those that it was computed from: 5,000 at most. */
  units: number;
  /** P(said | right), [right, said] */
  shares: readonly (readonly number[])[];
}

export interface PersonQuality {
  person: string;
  verdicts: number;
  /** Median time of a verdict, in seconds; null: none is recorded. */
  seconds: number | null;
  /** Of the verdicts with a time. */
  tooFast: Proportion | null;
  /** Of the decided pairs in a known order: the answer on the left. */
  left: Proportion | null;
  /** Two-sided exact p-value of that share, if both sides were equally likely. */
  leftP: number | null;
  /** Most pairs in a row with the same side. */
  streak: SideRun | null;
  gold: Proportion | null;
  /** Of the units in which most of the others chose the same: the person too. */
  others: Proportion | null;
  confusions: readonly Confusion[];
  flags: readonly { flag: QualityFlag; evidence: string }[];
}

/** A flag needs as many verdicts; of gold tasks, fewer. */
const LEAST = 10;
const LEAST_GOLD = 5;
/** Flags of many people are checked: few of them are raised by chance. */
const SIGNIFICANT = 0.001;

/**
 * @param streaks the longest run of one side of each person
 * @param tooFast seconds below which a verdict is too fast
 */
export function qualityOf(
  votes: Votes,
  { streaks, tooFast }: { streaks: ReadonlyMap<string, SideRun>; tooFast: number },
): PersonQuality[] {
  if (votes.lines.length === 0) return [];
  const report = agreementOf(votes);
  const confusions = confusionsOf(votes);
  const timed = votes.people.map(() => ({ fast: 0, all: 0 }));
  for (const { person, seconds } of votes.lines) {
    if (seconds === null) continue;
    timed[person]!.all += 1;
    if (seconds < tooFast) timed[person]!.fast += 1;
  }
  return report.people.map((one, at) => {
    const { person, verdicts, seconds, left, majority: others, gold } = one;
    const { fast, all } = timed[at]!;
    const quality = {
      ...{ person, verdicts, seconds, left, others, gold, confusions: confusions[at]! },
      tooFast:
        all === 0 ? null : { value: fast / all, count: all, interval: wilsonInterval(fast, all) },
      leftP: left === null ? null : signTest(hits(left), left.count - hits(left)),
      streak: streaks.get(person) ?? null,
    };
    return { ...quality, flags: flagsOf(quality, tooFast) };
  });
}

/**
 * Reads a project and measures everybody.
 * @param votes those of the project, if they have been read already
 */
export async function projectQuality(
  store: PreferenceStore,
  project: string,
  votes?: Votes,
): Promise<PersonQuality[]> {
  const { tooFast } = await store.settings(project);
  const streaks = await store.streaks(project);
  return qualityOf(votes ?? (await store.votes(project)), { streaks, tooFast });
}

const hits = ({ value, count }: Proportion): number => Math.round(value * count);
const of = (share: Proportion): string => `${hits(share)} of ${share.count}`;
const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;

function flagsOf(
  { tooFast, left, leftP, streak, gold, others }: Omit<PersonQuality, 'flags'>,
  threshold: number,
): PersonQuality['flags'] {
  const flags: { flag: QualityFlag; evidence: string }[] = [];
  if (tooFast !== null && tooFast.count >= LEAST && tooFast.interval[0] > 0.1) {
    const evidence = `${of(tooFast)} verdicts took less than ${threshold} s`;
    flags.push({ flag: 'too fast', evidence });
  }
  if (left !== null && leftP! < SIGNIFICANT) {
    const side = left.value > 0.5 ? 'left' : 'right';
    const share = side === 'left' ? left.value : 1 - left.value;
    const chosen = side === 'left' ? hits(left) : left.count - hits(left);
    flags.push({
      flag: `${share >= 0.9 ? 'always' : 'mostly'} ${side}`,
      evidence: `${chosen} of ${left.count} decided pairs (${percent(share)}) are for the answer on the ${side}; p = ${leftP!.toPrecision(1)}`,
    });
  }
  // As many runs could start as there are pairs.
  if (streak !== null && streak.pairs * 2 ** (1 - streak.length) < SIGNIFICANT) {
    const evidence = `${streak.length} pairs in a row for the answer on the ${streak.side}`;
    flags.push({ flag: 'long streak', evidence });
  }
  if (gold !== null && gold.count >= LEAST_GOLD && gold.interval[1] < 0.7) {
    const evidence = `right on ${of(gold)} tasks whose verdict is known`;
    flags.push({ flag: 'misses gold', evidence });
  }
  if (others !== null && others.count >= LEAST && others.interval[1] < 0.5) {
    const evidence = `as most of the others on ${of(others)} tasks`;
    flags.push({ flag: 'disagrees with the others', evidence });
  }
  return flags;
}

/** Enough for two digits of a share: exact ones take several times as long. */
const PRECISION = { tolerance: 1e-3, maxIterations: 100 };
/** Of more units, as many are taken at equal distances, for the same reason. */
const MOST_UNITS = 5000;

/** By person. */
function confusionsOf(votes: Votes): Confusion[][] {
  const found = votes.people.map((): Confusion[] => []);
  for (const { kind, units } of unitsOf(votes)) {
    const choices = categories[kind];
    // Nothing is known of verdicts that nobody else could confirm.
    const all = units.filter(({ people }) => people.length > 1);
    if (all.length === 0) continue;
    const step = Math.max(1, all.length / MOST_UNITS);
    const shared = Array.from(
      { length: Math.min(all.length, MOST_UNITS) },
      (_, at) => all[Math.floor(at * step)]!,
    );
    const table = labelTable(shared, votes.people.length);
    const { confusion } = dawidSkene(table, choices.length, PRECISION);
    const counts = votes.people.map(() => 0);
    for (const { people } of shared) for (const person of people) counts[person]! += 1;
    for (const [at, shares] of confusion.entries())
      if (counts[at]! > 0) found[at]!.push({ kind, choices, units: counts[at]!, shares });
  }
  return found;
}
