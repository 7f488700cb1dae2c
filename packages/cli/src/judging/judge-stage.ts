import type { JobHooks, JobResult, StageVerdict } from '@keel/align';
import type { JudgingHooks } from '@keel/evaluate';
import { setThreads } from '@keel/torch';
import type { JudgeVerbOptions } from '../options/judge.ts';

/** A share or a score with its 95% interval and number of rows, as summaries have it. */
interface Measured {
  value: number;
  interval: readonly [low: number, high: number];
  count: number;
}

/** The numbers of a summary; which it has depends on what was judged. */
type Summary = Partial<
  Record<'win_rate' | 'accuracy', Measured | null> & {
    /** Its interval is null with one prompt. */
    score: (Omit<Measured, 'interval'> & { interval: Measured['interval'] | null }) | null;
    orders: { pairs: number; once: number; agree: Measured | null };
    check: { accuracy: Measured | null } | null;
  }
>;

/** Judges as `keel judge` does. @returns null if it was interrupted */
type Judged = (
  options: JudgeVerbOptions,
  hooks: JudgingHooks,
) => Promise<{ summary: unknown } | null>;

/** `keel judge` as a stage: its numbers, and the verdict of `min_win_rate`. */
export async function stageOfJudging(
  options: JudgeVerbOptions,
  { signal, onNotice, onProgress }: JobHooks,
  judged: Judged,
): Promise<JobResult> {
  if (options.threads !== null) setThreads(options.threads);
  const ending = await judged(options, {
    signal,
    ...(onNotice && { onNotice }),
    onSampling: (name, done, total) => onProgress?.(`answers of ${name}`, done, total),
    onProgress: ({ done, total }, mode) =>
      onProgress?.(mode === 'check' ? 'labelled pairs' : 'verdicts', done, total),
  });
  if (ending === null) return { interrupted: true, headlines: [], verdict: null };
  const { summary } = ending;
  return {
    interrupted: false,
    headlines: headlinesOf(summary),
    verdict: winRateGate(options, summary),
  };
}

function headlinesOf(found: unknown): JobResult['headlines'] {
  const { win_rate, score, accuracy, check, orders } = found as Summary;
  const share = { unit: 'share', better: null } as const;
  return [
    ...headline('win rate', win_rate, 'verdict', { ...share, better: 'higher' }),
    ...headline('mean score', score, 'rating', { unit: 'number', better: 'higher' }),
    ...headline('judge is right', accuracy ?? check?.accuracy, 'labelled pair', share),
    ...headline('orders agree', orders?.agree, 'pair', share),
    ...(orders?.agree === null && orders.once > 0
      ? [
          {
            ...{ label: 'orders agree', before: null, after: { value: 1 }, ...share },
            note: 'By construction: this judge scores each answer by itself and sees no order.',
          },
        ]
      : []),
  ];
}

const headline = (
  label: string,
  measured: Summary['score'] | undefined,
  counts: string,
  about: Pick<Headline, 'unit' | 'better'>,
): Headline[] => {
  if (measured === null || measured === undefined) return [];
  const { value, interval, count } = measured;
  const note = `${count} ${counts}${count === 1 ? '' : 's'}`;
  const after = interval === null ? { value } : { value, interval };
  return [{ label, before: null, after, ...about, note }];
};

type Headline = JobResult['headlines'][number];

/** The verdict of --min-win-rate; null without it. */
export function winRateGate(
  { minWinRate }: Pick<JudgeVerbOptions, 'minWinRate'>,
  found: unknown,
): StageVerdict | null {
  if (minWinRate === null) return null;
  const rate = (found as Summary).win_rate ?? null;
  const need = `the win rate of b at least ${percent(minWinRate)}`;
  if (rate === null) return { passed: false, reasons: [`failed: ${need}: no pair has a verdict`] };
  const [low] = rate.interval;
  const passed = low >= minWinRate;
  const short = passed ? '' : `; ${(100 * (minWinRate - low)).toFixed(1)} points short`;
  const measured = `measured ${percent(rate.value)}, and ${percent(low)} at the lower end of its 95% interval`;
  return { passed, reasons: [`${passed ? 'passed' : 'failed'}: ${need}: ${measured}${short}`] };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
