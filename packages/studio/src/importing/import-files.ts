// `keel data import`: files into a project of the store.
import type { ConversionHooks } from '@keel/align/converting';
import { resamplingRandom } from '@keel/statistics';
import type { Added } from '../store/add-tasks.ts';
import type { PreferenceStore } from '../store/preference-store.ts';
import { type ReadTasks, readTasks, type TaskReadingOptions } from './read-tasks.ts';

export interface ImportOptions extends TaskReadingOptions {
  project: string;
  /** People who are to annotate each new task; null: as the project's settings say. */
  overlap: number | null;
  /** Whether the verdicts are the known right ones instead of votes. */
  gold: boolean;
  /** Seed of the order of each new task's answers. */
  seed: number;
  /** Text of the guidelines; null: they stay as they are. */
  guidelines: string | null;
  /** Who imports, for the log of actions (default: nobody is named). */
  by?: string | null;
}

export interface ImportSummary extends Added, Omit<ReadTasks, 'tasks'> {
  project: string;
  database: string;
  /** Version of the project's guidelines; null if it has none. */
  guidelines: number | null;
}

/** @throws DataError as {@link readTasks}; the store is as it was then */
export async function importFiles(
  store: PreferenceStore,
  options: ImportOptions,
  hooks: ConversionHooks = {},
): Promise<ImportSummary> {
  const { tasks, ...read } = await readTasks(options, hooks);
  const { project, overlap, gold, seed, guidelines, by = null } = options;
  const inputs = gold
    ? tasks.map(({ annotations, ...task }) => ({
        ...task,
        annotations: [],
        gold: task.gold ?? annotations.find(({ choice }) => choice !== null) ?? null,
      }))
    : tasks;
  const id = await store.openProject(project, by);
  const { total } = await store.taskList(id, {}, { limit: 1 });
  // What is said of the first tasks is said of the project.
  if (total === 0 && overlap !== null) await store.saveSettings(id, { overlap }, by);
  const added = await store.addTasks(id, inputs, { overlap, random: resamplingRandom(seed) });
  if (guidelines !== null) await store.saveGuidelines(id, guidelines, by);
  const { tasks: newTasks, annotations } = added;
  await store.noteAction({
    ...{ person: by, action: 'rows imported', project },
    details: { tasks: newTasks, verdicts: annotations, gold: added.gold },
  });
  const version = (await store.guidelines(id))?.version ?? null;
  return { project, database: store.name, ...added, ...read, guidelines: version };
}
