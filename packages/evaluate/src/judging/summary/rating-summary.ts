// Ratings of one model's answers: their mean with its interval over prompts.
import type { JudgeUsage } from '@keel/align/judges';
import { clusteredMeanInterval, type Interval } from '@keel/statistics';
import type { RatingRow } from '../asking/rate-answers.ts';
import { clusterOf, commonName, failuresOf, usageOf } from './judging-summary.ts';
import type { Finding, JudgingSummary } from './summary-types.ts';
import { usageText } from './usage-text.ts';

/** A mean with its 95% interval over prompts; null with one prompt. */
export interface MeanScore {
  value: number;
  interval: Interval | null;
  count: number;
}

/** A judge's ratings of the answers of one model. */
export interface RatingSummary {
  judge: string;
  model: string;
  answers: number;
  rated: number;
  /** null without ratings */
  score: MeanScore | null;
  criteria: { name: string; score: MeanScore }[];
  categories: { category: string; score: MeanScore }[];
  failures: JudgingSummary['failures'];
  /** Answers with each flag. */
  flags: { flag: string; count: number }[];
  usage: JudgeUsage;
  findings: Finding[];
}

/** @throws RangeError without rows */
export function summariseRatings(rows: readonly RatingRow[]): RatingSummary {
  const [head] = rows;
  if (head === undefined) throw new RangeError('a summary needs at least one rating');
  const rated = rows.filter(({ score }) => score !== null);
  const criteria = [...new Set(rated.flatMap((row) => Object.keys(row.criteria)))];
  const categories = [...new Set(rated.flatMap(({ category }) => category ?? []))];
  const flags = [...new Set(rows.flatMap((row) => row.flags))];
  return {
    judge: head.judge,
    model: commonName(rows.map(({ model }) => model)),
    answers: rows.length,
    rated: rated.length,
    score: meanScore(rated, ({ score }) => score),
    criteria: criteria.map((name) => ({
      name,
      score: meanScore(rated, (row) => row.criteria[name] ?? null)!,
    })),
    categories:
      categories.length < 2
        ? []
        : categories.map((category) => ({
            category,
            score: meanScore(
              rated.filter((row) => row.category === category),
              ({ score }) => score,
            )!,
          })),
    failures: failuresOf(rows),
    flags: flags.map((flag) => ({
      flag,
      count: rows.filter((row) => row.flags.includes(flag)).length,
    })),
    usage: usageOf(rows.map((row) => ({ orders: [row] }))),
    findings:
      rated.length > 0
        ? []
        : [
            {
              code: 'no-verdicts',
              severity: 'serious',
              text: `The judge gave no rating to any of the ${rows.length} answers, so there is no mean score.`,
            },
          ],
  };
}

function meanScore(
  rows: readonly RatingRow[],
  scoreOf: (row: RatingRow) => number | null,
): MeanScore | null {
  const scored = rows.flatMap((row) => {
    const value = scoreOf(row);
    return value === null ? [] : [{ value, cluster: clusterOf(row) }];
  });
  if (scored.length === 0) return null;
  const values = scored.map(({ value }) => value);
  const clusters = scored.map(({ cluster }) => cluster);
  return {
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
    interval: new Set(clusters).size < 2 ? null : clusteredMeanInterval(values, clusters),
    count: values.length,
  };
}

/** The summary as lines of a table: what the terminal and the report show. */
export function ratingLines(summary: RatingSummary): [label: string, value: string][] {
  const cost = usageText(summary.usage);
  const without = summary.rated < summary.answers ? `, ${summary.rated} with a rating` : '';
  return [
    ['judge', summary.judge],
    ['answers', `${summary.answers} of ${summary.model}${without}`],
    ['mean score', summary.score === null ? 'none: no answer has a rating' : scored(summary.score)],
    ...summary.criteria.map(({ name, score }): [string, string] => [`  ${name}`, scored(score)]),
    ...summary.categories.map(({ category, score }): [string, string] => [
      `  ${category}`,
      `${scored(score)} of ${score.count}`,
    ]),
    ...summary.flags.map(({ flag, count }): [string, string] => ['flagged', `${flag}: ${count}`]),
    ...summary.failures.map(({ reason, count, firstRow }): [string, string] => [
      'no rating',
      `${count}: ${reason} (first: row ${firstRow})`,
    ]),
    ...(cost === null ? [] : [['asked with', cost] as [string, string]]),
  ];
}

const scored = ({ value, interval }: MeanScore): string =>
  interval === null
    ? `${value.toFixed(3)}, of one prompt: no interval`
    : `${value.toFixed(3)} [${interval[0].toFixed(3)}, ${interval[1].toFixed(3)}]`;
