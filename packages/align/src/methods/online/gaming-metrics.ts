// Whether the reward was gamed, as numbers of an evaluation: audits of the held-out answers now
// against those before the first step, and against those with the best gold reward. Gold that first
// rises and then falls is still above its start when half of its gain is lost, so the start alone
// would notice too late. The health of a run reads these numbers (`reward-gamed`).
import { studentInterval } from '@keel/statistics';
import { contentText } from '../../data/messages.ts';
import { auditAnswers } from '../../hacking/audit-answers.ts';
import type { AuditedAnswer } from '../../hacking/audited-prompt.ts';
import type { Mechanism } from '../../hacking/mechanisms.ts';
import { GAMED, GAMED_SINCE, mechanismMetric } from '../../health/reward-gamed.ts';
import type { JudgedLine } from '../../runs/samples-log.ts';
import type { Metrics } from '../../training/training-task.ts';
import { changeOf, type HeldOutChange, readEvaluations } from './held-out-change.ts';

/** Chance of a false fall of gold, all evaluations that may be the best together. */
const LEVEL = 0.05;

/** @param path of the run's samples.jsonl, whose held-out answers have a gold reward */
export function gamingMetrics(path: string): Metrics {
  const evaluations = readEvaluations(path);
  if (evaluations.length < 2) return { [GAMED]: 0 };
  const last = evaluations.at(-1)!;
  const sinceStart = alarmOf(changeOf(evaluations[0]!, last));
  if (sinceStart !== null) return gamed(sinceStart, evaluations[0]!);
  const best = bestByGold(evaluations);
  if (best === evaluations[0] || best === last) return { [GAMED]: 0 };
  const change = changeOf(best, last);
  // The best of several looks better than it is, so the fall has to be more certain.
  if (!goldFell(change, LEVEL / (evaluations.length - 1))) return { [GAMED]: 0 };
  const sinceBest = alarmOf(change);
  return sinceBest === null ? { [GAMED]: 0 } : gamed(sinceBest, best);
}

const gamed = (mechanisms: readonly Mechanism[], since: readonly JudgedLine[]): Metrics => ({
  [GAMED]: 1,
  [GAMED_SINCE]: since[0]!.step,
  ...Object.fromEntries(
    mechanisms.map(({ change: { feature }, share }) => [mechanismMetric(feature.name), share]),
  ),
});

/** What explains the rise of a gamed reward; null without an alarm. */
function alarmOf({ before, after }: HeldOutChange): Mechanism[] | null {
  if (before.length === 0) return null;
  const { verdict } = auditAnswers(
    before.map((line, at) => ({
      prompt: contentText(line.prompt),
      before: [audited(line)],
      after: [audited(after[at]!)],
    })),
  );
  return verdict.alarm ? verdict.mechanisms : null;
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

function goldFell({ before, after }: HeldOutChange, level: number): boolean {
  const changes = before.flatMap(({ gold }, at) => {
    const now = after[at]!.gold;
    return gold == null || now == null ? [] : [now - gold];
  });
  const interval = studentInterval(changes, 1 - level);
  return interval !== null && interval[1] < 0;
}
