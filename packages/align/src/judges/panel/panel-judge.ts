// Several judges as one.
import { createHash } from 'node:crypto';
import type { AnswerRating, Judge, JudgeUsage, NoVerdict, PairVerdict } from '../judge.ts';
import { allOf, isNoVerdict, totalUsage } from '../judgements.ts';

/**
 * How a panel decides: the mean of the members' probabilities or scores; or the majority of their
 * votes, which for scores is their median.
 */
export const panelRules = ['mean', 'majority'] as const;
export type PanelRule = (typeof panelRules)[number];

export interface PanelMember {
  judge: Judge;
  /** Above 0. */
  weight: number;
}

export interface PanelOptions {
  /** Default: `panel`. */
  name?: string | undefined;
  /** Default: mean. */
  rule?: PanelRule;
}

/**
 * A judge that asks all of its members. Members without a verdict have no say in that verdict, and
 * are null in its `members`.
 * @returns a judge that compares if all members compare, and rates if all of them rate
 * @throws Error if there is neither. The panel then owns no member
 */
export function panelJudge(
  members: readonly PanelMember[],
  { name = 'panel', rule = 'mean' }: PanelOptions = {},
): Judge {
  const judges = members.map(({ judge }) => judge);
  const compares = judges.every(({ compare }) => compare !== undefined);
  const rates = judges.every(({ rate }) => rate !== undefined);
  if (!compares && !rates) {
    const [only, other] = [
      judges.find(({ compare }) => compare === undefined)!,
      judges.find(({ rate }) => rate === undefined)!,
    ];
    throw new Error(
      `the panel ${name}: ${only.name} only rates answers and ${other.name} only compares them. ` +
        'Choose members that can do the same',
    );
  }
  const names = uniqueNames(judges.map((judge) => judge.name));
  const identity = JSON.stringify([
    'panel 1',
    rule,
    members.map(({ judge, weight }) => [judge.identity, weight]),
  ]);
  return {
    name,
    identity: createHash('sha256').update(identity).digest('hex'),
    concurrency: Math.max(...judges.map(({ concurrency }) => concurrency)),
    seesOrder: judges.some(({ seesOrder }) => seesOrder),
    isAskedInWords: judges.some(({ isAskedInWords = false }) => isAskedInWords),
    ...(compares && {
      async compare(pair, signal) {
        const found = await allOf(judges.map((judge) => judge.compare!(pair, signal)));
        const said = votesOf(members, found, ({ first }) => first);
        const shared = recorded(names, found, ({ first }) => first);
        if (said.length === 0) return { failed: failures(names, found), ...shared };
        return { ...(rule === 'mean' ? meanVerdict(said) : majorityVerdict(said)), ...shared };
      },
    }),
    ...(rates && {
      async rate(answer, signal) {
        const found = await allOf(judges.map((judge) => judge.rate!(answer, signal)));
        const said = votesOf(members, found, ({ score }) => score);
        const shared = recorded(names, found, ({ score }) => score);
        if (said.length === 0) return { failed: failures(names, found), ...shared };
        const decide = rule === 'mean' ? mean : median;
        const criteria = sharedCriteria(said.map(({ verdict }) => verdict));
        return {
          score: decide(said.map(({ value, weight }) => ({ value, weight }))),
          ...(criteria.length > 0 && {
            criteria: Object.fromEntries(
              criteria.map((one) => [
                one,
                decide(
                  said.map(({ verdict, weight }) => ({ value: verdict.criteria![one]!, weight })),
                ),
              ]),
            ),
          }),
          ...shared,
        };
      },
    }),
    async [Symbol.asyncDispose]() {
      for (const judge of judges) await judge[Symbol.asyncDispose]();
    },
  };
}

interface Weighted {
  value: number;
  weight: number;
}

interface Vote<Verdict> extends Weighted {
  verdict: Verdict;
}

type Found<Verdict> = readonly (Verdict | NoVerdict)[];

/** The verdicts of the members that have one. */
const votesOf = <Verdict extends object>(
  members: readonly PanelMember[],
  found: Found<Verdict>,
  read: (verdict: Verdict) => number,
): Vote<Verdict>[] =>
  found.flatMap((verdict, index) =>
    isNoVerdict(verdict) ? [] : [{ verdict, value: read(verdict), weight: members[index]!.weight }],
  );

/** What a verdict says of its members. */
function recorded<Verdict extends { exchanges: NoVerdict['exchanges']; usage: JudgeUsage }>(
  names: readonly string[],
  found: Found<Verdict>,
  read: (verdict: Verdict) => number,
): Pick<NoVerdict, 'exchanges' | 'usage' | 'members' | 'transient' | 'why'> {
  const values = found.map((one) => (isNoVerdict(one) ? null : read(one as Verdict)));
  const each = values.map((value, index) => `${names[index]} ${value?.toFixed(2) ?? 'none'}`);
  const reasons = found.flatMap((one, index) => {
    const { why: reason, failed } = one as { why?: string; failed?: string };
    const said = failed === undefined ? reason : `no verdict: ${failed}`;
    return said === undefined ? [] : [`${names[index]}: ${said}`];
  });
  return {
    why: [each.join(', '), ...reasons].join('\n'),
    ...(found.some((one) => isNoVerdict(one) && one.transient) && { transient: true }),
    exchanges: found.flatMap(({ exchanges }) => exchanges),
    usage: totalUsage(found.map(({ usage }) => usage)),
    members: Object.fromEntries(names.map((name, index) => [name, values[index]!])),
  };
}

const failures = (names: readonly string[], found: readonly object[]): string =>
  `no member has a verdict: ${found
    .map((one, index) => `${names[index]}: ${(one as NoVerdict).failed}`)
    .join('; ')}`;

const mean = (votes: readonly Weighted[]): number =>
  votes.reduce((sum, { value, weight }) => sum + weight * value, 0) / weightOf(votes);

/** The weighted median: between two values if half of the weight is on each side. */
function median(votes: readonly Weighted[]): number {
  const sorted = votes.toSorted((a, b) => a.value - b.value);
  const half = weightOf(votes) / 2;
  let sum = 0;
  for (const [index, { value, weight }] of sorted.entries()) {
    sum += weight;
    if (sum > half) return value;
    if (sum === half) return (value + sorted[index + 1]!.value) / 2;
  }
  return sorted.at(-1)!.value;
}

const weightOf = (votes: readonly Weighted[]): number =>
  votes.reduce((sum, { weight }) => sum + weight, 0);

type Decision = Pick<PairVerdict, 'first' | 'tie'>;

const meanVerdict = (votes: readonly Vote<PairVerdict>[]): Decision => ({
  first: mean(votes),
  tie: mean(votes.map(({ verdict, weight }) => ({ value: verdict.tie, weight }))),
});

/** Each member votes for what it finds more probable; equal votes are a tie. */
function majorityVerdict(votes: readonly Vote<PairVerdict>[]): Decision {
  const balance = votes.reduce(
    (sum, { value, weight }) => sum + weight * Math.sign(value - 0.5),
    0,
  );
  return { first: (Math.sign(balance) + 1) / 2, tie: balance === 0 ? 1 : 0 };
}

/** Criteria that all ratings have. */
function sharedCriteria(ratings: readonly AnswerRating[]): string[] {
  const [first, ...others] = ratings.map(({ criteria = {} }) => criteria);
  return Object.keys(first!).filter((name) => others.every((other) => Object.hasOwn(other, name)));
}

/** The same names, with a number after those that are there before. */
export function uniqueNames(names: readonly string[]): string[] {
  const found: string[] = [];
  for (const name of names) {
    let own = name;
    for (let number = 2; found.includes(own); number++) own = `${name} ${number}`;
    found.push(own);
  }
  return found;
}
