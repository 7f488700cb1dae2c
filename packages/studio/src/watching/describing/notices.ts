// Alarms of a run with their evidence: what its health checks found.
import { type Health, HealthMonitor } from '@keel/align/runs';
import type { FoundRun } from '../folders/find-runs.ts';
import type { Columns } from '../numbers/columns.ts';
import { optionOf, type RunConfig } from './config.ts';
import type { RunFiles } from './run-files.ts';

/** What was checked and found. */
export interface Notices extends Health {
  /**
   * `run`: the run checked itself; it writes health.json with its first finding, and at its end.
   * `studio`: the numbers of another trainer were checked here, by the same rules. null: nothing
   * was checked.
   */
  by: 'run' | 'studio' | null;
}

/** The findings of a run; of a TRL run, those in its numbers. */
export function noticesOf(
  run: FoundRun,
  parts: { files: RunFiles; config: RunConfig | null; columns: Columns },
): Notices {
  const { files, config, columns } = parts;
  const written = files.health(run);
  if (written !== null) return { ...written, by: 'run' };
  const nothing = { checked: [], findings: [] };
  if (run.kind !== 'tensorboard' && run.kind !== 'trainer')
    return { ...nothing, by: run.kind === 'training' ? 'run' : null };
  const number = (key: string): number | null => {
    const value = optionOf(config, key);
    return typeof value === 'number' ? value : null;
  };
  const monitor = new HealthMonitor({
    learningRate: number('learning_rate') ?? 0,
    maxGradNorm: number('max_grad_norm'),
    maxKl: null,
  });
  for (const row of columns.rows()) monitor.addRow(row);
  return { ...monitor.health, by: 'studio' };
}
