// Whether the reward was gamed, as numbers of an evaluation: the audit of the held-out answers
// before the first step and now. The health of a run reads them (`reward-gamed`).
import { contentText } from '../../data/messages.ts';
import { auditAnswers } from '../../hacking/audit-answers.ts';
import type { AuditedAnswer } from '../../hacking/audited-prompt.ts';
import { GAMED, mechanismMetric } from '../../health/reward-gamed.ts';
import type { JudgedLine } from '../../runs/samples-log.ts';
import type { Metrics } from '../../training/training-task.ts';
import { readHeldOutChange } from './held-out-change.ts';

/** @param path of the run's samples.jsonl, whose held-out answers have a gold reward */
export function gamingMetrics(path: string): Metrics {
  const change = readHeldOutChange(path);
  if (change === null) return { [GAMED]: 0 };
  const { verdict } = auditAnswers(
    change.before.map((line, at) => ({
      prompt: contentText(line.prompt),
      before: [audited(line)],
      after: [audited(change.after[at]!)],
    })),
  );
  if (!verdict.alarm) return { [GAMED]: 0 };
  const shares = verdict.mechanisms.map(
    ({ change: { feature }, share }) => [mechanismMetric(feature.name), share] as const,
  );
  return { [GAMED]: 1, ...Object.fromEntries(shares) };
}

const audited = ({ completion, ended, reward, gold = null }: JudgedLine): AuditedAnswer => ({
  ...{ text: completion, ended, reward, gold },
});
