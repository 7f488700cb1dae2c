// The project that a new store begins with, so that every page has something to show.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PreferenceStore } from '../store/preference-store.ts';
import { importFiles } from './import-files.ts';

/** Name of the example. Its verdicts are invented, and the raters' names say so. */
export const EXAMPLE_PROJECT = 'Example: helpful answers';

const place = (name: string): string =>
  fileURLToPath(new URL(`../../example/${name}`, import.meta.url));

/** Adds the example to a store without projects. @returns whether it was added */
export async function addExample(store: PreferenceStore): Promise<boolean> {
  if ((await store.projects()).length > 0) return false;
  const common = {
    ...{ project: EXAMPLE_PROJECT, from: 'auto', columns: null, onBadRow: 'fail' as const },
    ...{ person: 'example', question: null, score: null, gold: false, seed: 1 },
  };
  const guidelines = readFileSync(place('guidelines.md'), 'utf8');
  await importFiles(store, { ...common, files: [place('open.jsonl')], overlap: 1, guidelines });
  await importFiles(store, {
    ...{ ...common, files: [place('voted.jsonl')], overlap: 3, guidelines: null },
  });
  return true;
}
