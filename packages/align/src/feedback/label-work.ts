// What a job of labelling asks its judge, line by line of its journal, and the pair that a line
// labels: two answers are compared, or all answers to a prompt are rated.
import { contentText } from '../data/messages.ts';
import type { Judge } from '../judges/judge.ts';
import { isNoVerdict } from '../judges/judgements.ts';
import type { JobIdentity } from '../runs/journal.ts';
import { bestAndWorst } from './best-and-worst.ts';
import type { PreferencePrinciple } from './constitution.ts';
import { drawWithoutRepetition } from './draw.ts';
import type { LabelOptions } from './label-options.ts';
import { labelPair } from './label-pair.ts';
import type { LabelLine, Labelled, RatingLine } from './label-rows.ts';
import { type AnswerGroup, pairOf, readAnswerGroups, readLabelPairs } from './read-label-pairs.ts';

export interface LabelWork<Line> {
  /** Lines in all: pairs, or prompts. */
  total: number;
  /** Prompts with fewer than two different answers. */
  single: number;
  badRows: number;
  /** Answers that were cut off at the maximum length. */
  cutOff: number;
  /** Columns whose values are replaced by those of the label. */
  replaced: readonly string[];
  /** What its lines depend on besides the judge and the data. */
  identity: JobIdentity;
  fingerprint: string;
  /** Principles asked for each line; 0 if the judge is not asked by principles. */
  principles: number;
  /** Verdicts or ratings that are asked for in all. */
  verdicts: number;
  /** @throws Error if the judge cannot be asked, the signal's reason once it is aborted */
  ask(at: number, signal: AbortSignal | undefined): Promise<Line>;
  labelled(line: Line, at: number): Labelled;
}

/**
 * Pairs are compared under principles.
 * @throws DataError for an invalid row
 */
export async function comparing(
  options: LabelOptions & { judge: Pick<Judge, 'compare' | 'seesOrder' | 'isAskedInWords'> },
  principles: readonly PreferencePrinciple[],
): Promise<LabelWork<LabelLine>> {
  const { judge, principlesPerPair, clamp, seed, pairsPerPrompt, limit } = options;
  const { pairs: all, ...read } = await readLabelPairs(options, options);
  const pairs = all.slice(0, limit ?? all.length);
  const each = Math.min(principlesPerPair ?? principles.length, principles.length);
  const inWords = judge.isAskedInWords === true;
  return {
    ...read,
    total: pairs.length,
    principles: inWords ? each : 0,
    verdicts: pairs.length * (judge.seesOrder ? 2 : 1) * (inWords ? each : 1),
    identity: {
      'principles of --constitution': JSON.stringify(principles),
      '--principles-per-pair': each,
      '--pairs-per-prompt': pairsPerPrompt,
      '--clamp': clamp.join(' to '),
      '--seed': seed,
      ...limited(limit),
    },
    async ask(at, signal) {
      const own = drawWithoutRepetition(principles, { seed, row: at, rounds: each });
      const pair = pairs[at]!;
      const label = await labelPair(judge, pair, { principles: own, clamp, signal });
      return { row: pair.row, ...label };
    },
    labelled: (label, at) => ({ pair: pairs[at]!, label }),
  };
}

/**
 * Every answer is rated; the best and the worst one make a pair.
 * @throws DataError for an invalid row
 */
export async function rating(
  options: LabelOptions & { rate: NonNullable<Judge['rate']> },
): Promise<LabelWork<RatingLine>> {
  const { rate, lengthGuard, limit } = options;
  const { groups: all, ...read } = await readAnswerGroups(options);
  const groups = all.slice(0, limit ?? all.length);
  return {
    ...read,
    total: groups.length,
    principles: 0,
    verdicts: groups.reduce((sum, { answers }) => sum + answers.length, 0),
    identity: { '--pairing': 'best-worst', ...limited(limit) },
    async ask(at, signal) {
      const { row, answers, ...about } = groups[at]!;
      const line: RatingLine = { row, ratings: [], failed: {} };
      for (const answer of answers) {
        const found = await rate({ ...about, answer }, signal);
        if (isNoVerdict(found)) line.failed[found.failed] = (line.failed[found.failed] ?? 0) + 1;
        line.ratings.push(isNoVerdict(found) ? null : found.score);
      }
      return line;
    },
    labelled: (line, at) => bestPair(groups[at]!, line, lengthGuard),
  };
}

/** A job without a limit is the same as one of before there were any. */
const limited = (limit: number | null | undefined): JobIdentity =>
  limit == null ? {} : { '--limit': limit };

function bestPair(group: AnswerGroup, { ratings, failed }: RatingLine, guard: number): Labelled {
  const lengths = group.answers.map((answer) => contentText(answer).length);
  const found = bestAndWorst(ratings, lengths, guard);
  if (found === null) {
    const rated = ratings.filter((one) => one !== null).length;
    return { pair: null, why: rated < 2 ? 'unlabelled' : 'tied', failed };
  }
  const { best, worst } = found;
  return {
    pair: pairOf(group, [best, worst]),
    // The higher rating wins: ratings have no probabilities.
    label: {
      ...{ probability: 1, principles: {}, disagreements: 0, compared: 0 },
      ...{ failed, reasons: [] },
    },
    ratings: [ratings[best]!, ratings[worst]!],
  };
}
