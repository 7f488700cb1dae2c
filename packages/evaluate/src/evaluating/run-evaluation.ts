// Runs tasks on models, item by item, and resumes what was interrupted.
import { join } from 'node:path';
import { makeFolder } from '@keel/model';
import { type TaskResult, taskResult } from '../comparing/task-result.ts';
import type { Subject, Task } from '../tasks/task.ts';
import { ItemStore, itemKey, taskIdentity } from './item-store.ts';
import { sanitized } from './lm-eval-files.ts';

/** How far an evaluation is. */
export interface EvaluationProgress {
  /** The entry's name. */
  entry: string;
  task: string;
  /** Items of all tasks under all entries, with the shares of those in progress. */
  done: number;
  total: number;
}

export interface SubjectHooks {
  signal: AbortSignal;
  /** Called for every finished item, and while items are in progress. */
  onItems(task: Task, finished: number, working: number): void;
}

/**
 * Evaluates one model or adapter.
 * @param identity of the model: its weights, adapter, tokenizer and precision
 * @throws the signal's reason once it is aborted; finished items are stored
 */
export async function evaluateSubject(
  tasks: readonly Task[],
  subject: Subject,
  identity: string,
  output: string,
  { signal, onItems }: SubjectHooks,
): Promise<TaskResult[]> {
  const folder = subjectFolder(output, subject.name);
  makeFolder(folder);
  const results: TaskResult[] = [];
  for (const task of tasks) {
    signal.throwIfAborted();
    const path = join(folder, `items_${task.name}.jsonl`);
    const store = new ItemStore(path, taskIdentity(task, identity));
    const keys = task.items.map(itemKey);
    const missing = task.items.filter((_, at) => store.get(keys[at]!) === undefined);
    onItems(task, task.items.length - missing.length, 0);
    if (missing.length > 0) {
      const keyOf = new Map(task.items.map((item, at) => [item.doc.id, keys[at]!]));
      await task.run(missing, subject, {
        signal,
        done(item, outcome) {
          store.add(keyOf.get(item.doc.id)!, outcome);
          onItems(task, 1, 0);
        },
        working: (share) => onItems(task, 0, share),
      });
    }
    results.push(
      taskResult(
        task,
        keys.map((key) => store.get(key)!),
      ),
    );
  }
  return results;
}

/** Where an entry's results are. */
export const subjectFolder = (output: string, name: string): string =>
  join(output, sanitized(name));
