// Restores a run's health from its files.
import { contentText } from '../data/messages.ts';
import type { HealthAnswer } from '../health/finding.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import { type AnswerLine, answersByStep } from './answers-log.ts';
import type { MetricsRow } from './metrics.ts';

export const healthAnswers = (lines: readonly AnswerLine[]): HealthAnswer[] =>
  lines.map(({ prompt, completion }) => ({ prompt: contentText(prompt), text: completion }));

/**
 * Gives a monitor the rows of metrics.jsonl and the lines of answers.jsonl in the order in which
 * the run wrote them.
 */
export function replayHealth(
  monitor: HealthMonitor,
  rows: readonly MetricsRow[],
  lines: readonly AnswerLine[],
): void {
  const sets = answersByStep(lines);
  const answersUpTo = (step: number): void => {
    while (sets[0] !== undefined && sets[0].step <= step) {
      const { step: at, answers } = sets.shift()!;
      monitor.addAnswers(at, healthAnswers(answers));
    }
  };
  for (const row of rows) {
    // Answers come between the row of their step and the evaluation after it.
    const evaluation = Object.keys(row).some((name) => name.startsWith('eval_'));
    answersUpTo(evaluation ? row.step : row.step - 1);
    monitor.addRow(row);
  }
  answersUpTo(Number.POSITIVE_INFINITY);
}
