import type { JobHooks, JobResult, StageVerdict } from '@keel/align';
import type { JudgingHooks } from '@keel/evaluate';
import { setThreads } from '@keel/torch';
import type { JudgeVerbOptions } from '../options/judge.ts';

/** A share or a score with its interval, as summaries have it. */
interface Measured {
  value: number;
  interval: readonly [low: number, high: number];
  count?: number;
}

/** The numbers of a summary; which it has depends on what was judged. */
type Summary = Partial<
  Record<'win_rate' | 'accuracy' | 'score', Measured | null> & {
    orders: { agree: Measured | null };
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
    onProgress: ({ done, total }) => onProgress?.('verdicts', done, total),
  });
  if (ending === null) return { interrupted: true, headlines: [], verdict: null };
  const { summary } = ending;
  return {
    interrupted: false,
    headlines: headlinesOf(summary),
    verdict: winRateGate(options, summary),
  };
}

const shown = [
  ['win_rate', 'win rate', 'share'],
  ['accuracy', 'agreement with people', 'share'],
  ['score', 'mean score', 'number'],
] as const;

function headlinesOf(found: unknown): JobResult['headlines'] {
  const summary = found as Summary;
  const agree = summary.orders?.agree ?? null;
  const numbers = shown.flatMap(([key, label, unit]) => {
    const one = summary[key] ?? null;
    return one === null ? [] : [{ label, one, unit, better: 'higher' as const }];
  });
  const orders =
    agree === null
      ? []
      : [{ label: 'orders agree', one: agree, unit: 'share' as const, better: null }];
  return [...numbers, ...orders].map(({ one: { value, interval, count }, ...about }) => ({
    ...about,
    before: null,
    after: { value, interval },
    ...(count !== undefined && { note: `${count} verdicts` }),
  }));
}

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
