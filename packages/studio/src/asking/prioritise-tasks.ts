// Priorities of a project's open pairs: `keel ask` scores them as rows of a file.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AskResult } from '@keel/align';
import type { PreferenceStore } from '../store/preference-store.ts';
import { openPairs } from './open-pairs.ts';

/** What `keel ask` works on. */
export interface AskedFiles {
  data: string[];
  output: string;
  onBadRow: 'skip';
  overwrite: true;
  columns: null;
  labelled: null;
}

/**
 * @param ask scores rows of pairs, and writes all of them with a `priority` and its source
 * @param by who does it, for the log of actions
 * @returns its result, and how many tasks have a priority now
 * @throws RangeError if the project has no open pair
 */
export async function prioritiseTasks<Result extends AskResult>(
  store: PreferenceStore,
  project: string,
  ask: (files: AskedFiles, count: number) => Promise<Result>,
  by: string | null,
): Promise<Result & { tasks: number }> {
  const id = await store.project(project);
  const pairs = await openPairs(store, id);
  if (pairs.length === 0)
    throw new RangeError(`project ${project} has no open pair: every pair has its verdicts`);
  const folder = mkdtempSync(join(tmpdir(), 'keel-ask-'));
  try {
    const [data, output] = [join(folder, 'open.jsonl'), join(folder, 'asked.jsonl')];
    writeFileSync(data, pairs.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const files = { data: [data], output, columns: null, labelled: null } as const;
    const result = await ask(
      { ...files, data: [data], onBadRow: 'skip', overwrite: true },
      pairs.length,
    );
    if (result.summary === null) return { ...result, tasks: 0 };
    const priorities = new Map<string, number>();
    for (const line of readFileSync(output, 'utf8').split('\n')) {
      if (line === '') continue;
      const { task, priority } = JSON.parse(line) as { task: string; priority: number };
      priorities.set(task, priority);
    }
    await store.setPriorities(id, priorities, result.summary.source, by);
    return { ...result, output: store.name, tasks: priorities.size };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
