// Pairs of a project that still need verdicts, as rows of `keel ask`.
import type { Content } from '@keel/align/data';
import type { PreferenceStore } from '../store/preference-store.ts';

/** `task` is kept by `keel ask`: it says which task a row is. */
export interface OpenPair {
  prompt: Content;
  completions: Content[];
  task: string;
}

/** In the order in which they were added. */
export async function openPairs(store: PreferenceStore, project: string): Promise<OpenPair[]> {
  const rows: OpenPair[] = [];
  for await (const { id, kind, prompt, answers, annotations, overlap } of store.tasks(project)) {
    const verdicts = annotations.filter(({ choice }) => choice !== null).length;
    if (kind !== 'pair' || verdicts >= overlap) continue;
    rows.push({ prompt, completions: answers.map(({ content }) => content), task: id });
  }
  return rows;
}
