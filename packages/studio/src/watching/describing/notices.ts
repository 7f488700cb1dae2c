// Alarms of a run with their evidence: what its health checks found.
import { type AnswerLine, type Health, HealthMonitor, replayHealth } from '@keel/align/runs';
import type { FoundRun } from '../folders/find-runs.ts';
import type { Columns } from '../numbers/columns.ts';
import { optionOf, type RunConfig } from './config.ts';
import type { RunFiles } from './run-files.ts';

/** What was checked and found. */
export interface Notices extends Health {
  /** `run`: the run checked itself. `studio`: its numbers were checked here, by the same rules. */
  by: 'run' | 'studio';
}

/**
 * The findings in health.json. A run without the file has found nothing yet, or is one of TRL: its
 * numbers and answers are checked here.
 */
export function noticesOf(
  run: FoundRun,
  parts: {
    files: RunFiles;
    config: RunConfig | null;
    columns: Columns;
    answers: readonly AnswerLine[];
  },
): Notices {
  const { files, config, columns, answers } = parts;
  const written = files.health(run);
  if (written !== null) return { ...written, by: 'run' };
  const number = (key: string): number | null => {
    const value = optionOf(config, key);
    return typeof value === 'number' ? value : null;
  };
  const monitor = new HealthMonitor({
    learningRate: number('learning_rate') ?? 0,
    maxGradNorm: number('max_grad_norm'),
    maxKl: number('max_kl'),
  });
  replayHealth(monitor, columns.rows(), answers);
  return { ...monitor.health, by: 'studio' };
}
