import type { JobHooks, JobResult } from '@keel/align';
import {
  type EvaluatedEntry,
  type Evaluation,
  type EvaluationOptions,
  gateText,
  metricId,
  planEvaluation,
  runEvaluation,
} from '@keel/evaluate';
import { setThreads } from '@keel/torch';

/** `keel evaluate` as a stage: its numbers, and its gates' verdict. */
export async function evaluated(
  options: EvaluationOptions,
  { threads }: { threads: number | null },
  { signal, onNotice, onProgress }: JobHooks,
): Promise<JobResult> {
  if (threads !== null) setThreads(threads);
  const plan = await planEvaluation(options);
  const evaluation = await runEvaluation(options, plan, {
    ...(signal && { signal }),
    ...(onNotice && { onNotice }),
    onProgress: ({ done, total }) => onProgress?.('rows', Math.floor(done), total),
  });
  if (evaluation === null) return { interrupted: true, headlines: [], verdict: null };
  return {
    interrupted: false,
    headlines: headlinesOf(evaluation.entries),
    verdict: verdictOf(evaluation),
  };
}

/** The first metric of every task, of the first entry and of the last. */
function headlinesOf(entries: readonly EvaluatedEntry[]): JobResult['headlines'] {
  const [first, last] = [entries[0]!, entries.at(-1)!];
  return last.results.flatMap((result, at) => {
    const [found] = result.estimates.values();
    if (found === undefined) return [];
    const { metric, estimate } = found;
    const before = first.results[at]!.estimates.get(metricId(metric))?.estimate;
    const difference = last.differences.find(
      (one) => one.task === result.task.name && metricId(one.metric) === metricId(metric),
    );
    return [
      {
        label: `${result.task.name}: ${metricId(metric)}`,
        before: first === last || before === undefined ? null : { value: before.value },
        after: { value: estimate.value, interval: estimate.interval },
        unit: metric.share ? ('share' as const) : ('number' as const),
        better: metric.higherIsBetter ? ('higher' as const) : ('lower' as const),
        ...(difference && { difference: difference.interval }),
        note: `${estimate.count} rows`,
      },
    ];
  });
}

function verdictOf({ gates, entries }: Evaluation): JobResult['verdict'] {
  if (gates.length === 0) return null;
  return {
    passed: gates.every(({ passed }) => passed),
    reasons: gates.map((gate) => {
      const entry = entries.length > 1 ? `${gate.entry}: ` : '';
      return `${gate.passed ? 'passed' : 'failed'}: ${entry}${gateText(gate)}`;
    }),
  };
}
