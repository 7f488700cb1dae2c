// What a judge expects of a project's pairs, saved as suggestions: people learn them after their
// verdict.
import { type Judge, labelPair } from '@keel/align/judges';
import type { StoredTask } from '../store/items.ts';
import type { PreferenceStore } from '../store/preference-store.ts';

/** Which pairs a judge is asked about. */
export interface SuggestOptions {
  /** Whether it is asked again where it has made a suggestion. */
  again: boolean;
  /** At most so many pairs; null: all. */
  limit: number | null;
  /** Who asks, for the log of actions. */
  by?: string | null;
}

export interface SuggestHooks {
  onProgress?(progress: { done: number; total: number }): void;
  signal?: AbortSignal;
}

/** What a judge was asked. */
export interface SuggestResult {
  judge: string;
  /** Pairs with a new suggestion. */
  saved: number;
  /** Pairs that had one of this judge already. */
  known: number;
  /** Verdicts that the judge did not give, by reason. */
  failed: Readonly<Record<string, number>>;
  interrupted: boolean;
}

/** Suggestions that are saved together. */
const SAVED = 20;

/** A judge is asked with its own instructions. */
const principles = [{ id: 'judge', preference: '' }];

/**
 * Asks about the pairs that still need verdicts, in both orders. Pairs whose right verdict is known
 * are among them: otherwise their suggestion would be missing, which tells which ones they are.
 * What is saved stays if it is stopped.
 * @throws RangeError for an unknown project; Error for a judge that cannot compare
 */
export async function suggestTasks(
  store: PreferenceStore,
  project: string,
  judge: Judge,
  { again, limit, by = null }: SuggestOptions,
  { onProgress, signal }: SuggestHooks = {},
): Promise<SuggestResult> {
  if (judge.compare === undefined)
    throw new Error(`${judge.name} rates single answers, but a suggestion compares two`);
  const id = await store.project(project);
  const has = again ? new Set<string>() : await store.suggestedTasks(id, judge.name);
  const tasks: StoredTask[] = [];
  let known = 0;
  for await (const task of store.tasks(id)) {
    const { kind, gold, annotations, overlap } = task;
    const verdicts = annotations.filter(({ choice }) => choice !== null).length;
    if (kind !== 'pair' || (gold === null && verdicts >= overlap)) continue;
    if (has.has(task.id)) known += 1;
    else if (limit === null || tasks.length < limit) tasks.push(task);
  }
  const failed: Record<string, number> = {};
  const suggestion = async ({ id: task, prompt, answers, columns }: StoredTask) => {
    const [one, other] = answers.map(({ content }) => content);
    const pair = { prompt, answers: [one!, other!] as const, extra: columns };
    const label = await labelPair(judge, pair, { principles, clamp: [0, 1], signal });
    for (const [why, count] of Object.entries(label.failed))
      failed[why] = (failed[why] ?? 0) + count;
    return { task, probability: label.probability };
  };
  const unsaved = new Map<string, number>();
  let saved = 0;
  const save = async (): Promise<void> => {
    if (unsaved.size === 0) return;
    await store.saveSuggestions(id, judge.name, unsaved, null);
    saved += unsaved.size;
    unsaved.clear();
  };
  const chunk = Math.max(1, judge.concurrency);
  try {
    for (let at = 0; at < tasks.length && !signal?.aborted; at += chunk) {
      onProgress?.({ done: at, total: tasks.length });
      const settled = await Promise.allSettled(tasks.slice(at, at + chunk).map(suggestion));
      for (const one of settled)
        if (one.status === 'fulfilled' && one.value.probability !== null)
          unsaved.set(one.value.task, one.value.probability);
      const broken = settled.find((one) => one.status === 'rejected');
      if (broken !== undefined || unsaved.size >= SAVED) await save();
      if (broken !== undefined && !signal?.aborted) throw broken.reason;
    }
    await save();
  } finally {
    // Once for the run, also if it broke off.
    if (saved > 0)
      await store.noteAction({
        ...{ person: by, action: 'suggestions added', project },
        details: { source: judge.name, tasks: saved },
      });
  }
  const interrupted = signal?.aborted ?? false;
  if (!interrupted) onProgress?.({ done: tasks.length, total: tasks.length });
  return { judge: judge.name, saved, known, failed, interrupted };
}
