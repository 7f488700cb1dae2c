// Whether the reward was gamed, as numbers of an evaluation: audits of the held-out answers now
// against those before the first step, and against those with the best gold reward. Gold that first
// rises and then falls is still above its start when half of its gain is lost, so the start alone
// would notice too late. The health of a run reads these numbers (`reward-gamed`).
import { contentText } from '../../data/messages.ts';
import { auditAnswers } from '../../hacking/audit-answers.ts';
import type { AuditedAnswer } from '../../hacking/audited-prompt.ts';
import { GAMED, GAMED_SINCE, mechanismMetric } from '../../health/reward-gamed.ts';
import type { JudgedLine } from '../../runs/samples-log.ts';
import type { Metrics } from '../../training/training-task.ts';
import { changeOf, readEvaluations } from './held-out-change.ts';

/** Chance that gold seems to stay behind, all evaluations that may be the best together. */
const LEVEL = 0.05;

/** @param path of the run's samples.jsonl, whose held-out answers have a gold reward */
export function gamingMetrics(path: string): Metrics {
  const evaluations = readEvaluations(path);
  const [first, last] = [evaluations[0], evaluations.at(-1)];
  if (first === undefined || last === undefined || first === last) return { [GAMED]: 0 };
  const sinceFirst = alarmOf(first, last);
  if (sinceFirst !== null) return sinceFirst;
  const best = bestByGold(evaluations);
  if (best === first || best === last) return { [GAMED]: 0 };
  // The best of several looks better than it is, so this has to be more certain.
  return alarmOf(best, last, 1 - LEVEL / (evaluations.length - 1)) ?? { [GAMED]: 0 };
}

/** Since an evaluation; null without an alarm. */
function alarmOf(
  since: readonly JudgedLine[],
  last: readonly JudgedLine[],
  goldConfidence?: number,
): Metrics | null {
  const { before, after } = changeOf(since, last);
  if (before.length === 0) return null;
  const { verdict } = auditAnswers(
    before.map((line, at) => ({
      prompt: contentText(line.prompt),
      before: [audited(line)],
      after: [audited(after[at]!)],
    })),
    { ...(goldConfidence !== undefined && { goldConfidence }) },
  );
  if (!verdict.alarm) return null;
  const shares = verdict.mechanisms.map(
    ({ change: { feature }, share }) => [mechanismMetric(feature.name), share] as const,
  );
  return { [GAMED]: 1, [GAMED_SINCE]: since[0]!.step, ...Object.fromEntries(shares) };
}

const audited = ({ completion, ended, reward, gold = null }: JudgedLine): AuditedAnswer => ({
  ...{ text: completion, ended, reward, gold },
});

function bestByGold(evaluations: readonly JudgedLine[][]): JudgedLine[] {
  const means = evaluations.map((lines) => {
    const known = lines.flatMap(({ gold }) => (gold == null ? [] : [gold]));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  });
  // Without any gold reward the mean is NaN, which is never above another.
  const best = means.reduce((best, value, at) => (value > means[best]! ? at : best), 0);
  return evaluations[best]!;
}
