// run.json: what the other files of a run's folder do not say: how many steps are planned, how the
// last call ended, and the command that resumes it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../files/atomic-write.ts';

const NAME = 'run.json';

const schema = z.object({
  version: z.literal(1),
  verb: z.string(),
  /** Working folder of the process: the options' relative paths start there. */
  folder: z.string(),
  /** Words after `keel` that resume it; null: only the program that started it can. */
  resume: z.array(z.string()).nullable(),
  /** When the last call started, in ISO 8601. */
  started: z.string(),
  /** Steps that had finished then. */
  started_step: z.number(),
  /** Planned optimizer steps; null for a recipe or a comparison, and before they are known. */
  total_steps: z.number().nullable(),
  /** null: it runs, or its process was killed. */
  ended: z
    .object({
      how: z.enum(['finished', 'interrupted', 'failed']),
      /** ISO 8601 */
      time: z.string(),
      /** Of a failed run. */
      message: z.string().optional(),
    })
    .nullable(),
});

/** The content of a run's run.json. */
export type RunRecord = z.output<typeof schema>;

/** What is known of a run when it starts. */
type StartedRun = Pick<RunRecord, 'verb' | 'resume'>;

/** Writes run.json when a call starts, when its steps are known, and when it ends. */
export class RunRecorder {
  readonly #path: string;
  #record: RunRecord;

  /** @param folder of the run */
  constructor(folder: string, started: StartedRun) {
    this.#path = join(folder, NAME);
    this.#record = {
      ...{ version: 1, verb: started.verb, folder: process.cwd(), resume: started.resume },
      ...{ started: new Date().toISOString(), started_step: 0 },
      ...{ total_steps: null, ended: null },
    };
    this.#write();
  }

  /** Once it is known from where to where the steps go. */
  planned(startedStep: number, totalSteps: number): void {
    this.#record = { ...this.#record, started_step: startedStep, total_steps: totalSteps };
    this.#write();
  }

  ended(how: 'finished' | 'interrupted'): void {
    this.#record.ended = { how, time: new Date().toISOString() };
    this.#write();
  }

  /** Errors of the file system are ignored: what made the run fail is reported. */
  failed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#record.ended = { how: 'failed', time: new Date().toISOString(), message };
    try {
      this.#write();
    } catch {}
  }

  #write(): void {
    writeFileAtomic(this.#path, `${JSON.stringify(this.#record, null, 2)}\n`);
  }
}

/**
 * Does the work of a recipe or a comparison, and records it in its folder's run.json.
 * @param command the verb, and the words after `keel` that resume it; undefined: the work is
 *   another program's, which alone can resume it
 */
export async function recorded<T extends { interrupted: unknown }>(
  folder: string,
  command: { verb: string; words: string[] } | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const { verb, words } = command ?? { verb: 'align', words: null };
  const recorder = new RunRecorder(folder, { verb, resume: words });
  try {
    const result = await work();
    recorder.ended(result.interrupted === null ? 'finished' : 'interrupted');
    return result;
  } catch (error) {
    recorder.failed(error);
    throw error;
  }
}

/** The run.json of a folder; null if there is none, or Keel did not write it. */
export function readRunRecord(folder: string): RunRecord | null {
  const path = join(folder, NAME);
  if (!existsSync(path)) return null;
  try {
    return schema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}
