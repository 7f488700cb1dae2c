// What a folder is, from the names in it.
import { checkpointStep } from './trainer-folder.ts';

/** What a watched folder contains. */
export type RunKind =
  | 'training'
  | 'recipe'
  | 'comparison'
  | 'lab'
  | 'evaluation'
  | 'judging'
  | 'audit'
  | 'attacks'
  | 'rating'
  | 'trainer'
  | 'tensorboard';

const EVENTS = /^events\.out\.tfevents\./;

/** Whether a name is that of a TensorBoard event file. */
export const isEventFile = (name: string): boolean => EVENTS.test(name);

/**
 * @param names of the folder's entries
 * @returns null if it is none that a watcher shows
 */
export function kindOf(names: readonly string[]): RunKind | null {
  const has = (...some: string[]): boolean => some.some((name) => names.includes(name));
  if (has('stages.json')) return has('compare.yaml') ? 'comparison' : 'recipe';
  if (has('config.yaml') && has(...ofTraining)) return 'training';
  if (has('judging.json')) return 'judging';
  if (has('audit.json')) return 'audit';
  if (has('attacks.json')) return 'attacks';
  if (has('ratings.json')) return 'rating';
  // A lab's recipe is in `stages`; one of a closed world has none.
  if (has('stages') && has('results.json', 'lab.yaml')) return 'lab';
  if (['results.json', 'table.md', 'plot.svg'].every((name) => has(name))) return 'lab';
  if (has('summary.json') && has('report.html')) return 'evaluation';
  if (has('trainer_state.json') || names.some((name) => checkpointStep(name) !== null))
    return 'trainer';
  return names.some(isEventFile) ? 'tensorboard' : null;
}

const ofTraining = [
  ...['run.json', 'environment.json', 'data.json', 'metrics.jsonl'],
  ...['checkpoints', 'final', '.lock'],
];
