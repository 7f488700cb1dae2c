// trainer_state.json of transformers' Trainer, and so of TRL: what it logged until a checkpoint.
import { readFileSync } from 'node:fs';
import type { MetricsRow } from '@keel/align/runs';
import { z } from 'zod';
import type { RunRoot } from '../folders/run-root.ts';
import { checkpointStep, stateFiles } from '../folders/trainer-folder.ts';
import { rowOf } from './metrics-rows.ts';

/** What a Trainer recorded with its last checkpoint. */
export interface TrainerState {
  rows: MetricsRow[];
  step: number;
  /** Planned steps; null if it does not say. */
  total: number | null;
  /** Step of the checkpoint with the best metric; null: none. */
  best: number | null;
  /** When it was written, in milliseconds since 1970. */
  time: number;
}

const schema = z.object({
  global_step: z.number(),
  max_steps: z.number().nullable().catch(null),
  best_global_step: z.number().nullable().catch(null),
  best_model_checkpoint: z.string().nullable().catch(null),
  log_history: z.array(z.unknown()),
});

/** The state of a Trainer's folder, read again only if it changed. */
export class TrainerStateFile {
  readonly #root: RunRoot;
  readonly #output: string;
  #signature = '';
  state: TrainerState | null = null;
  /** Files that cannot be read, a sentence each. */
  faults: string[] = [];

  constructor(root: RunRoot, output: string) {
    this.#root = root;
    this.#output = output;
  }

  /** @returns whether it changed */
  update(): boolean {
    const { files, leftOut } = stateFiles(this.#root, this.#output);
    const signature = [...files.map(({ path, time }) => `${path} ${time}`), ...leftOut].join('\n');
    if (signature === this.#signature) return false;
    this.#signature = signature;
    this.faults = leftOut;
    this.state = null;
    for (const { path, name, time } of files) {
      const read = schema.safeParse(pythonJson(path)).data;
      if (read === undefined) {
        this.faults.push(
          `${name}: is not a whole state of a Trainer, or there is no permission to read it`,
        );
        continue;
      }
      const { global_step: step, max_steps: total, log_history: log } = read;
      this.state = {
        ...{ step, time, rows: log.flatMap((row) => rowOf(row) ?? []) },
        total: total !== null && total > 0 ? total : null,
        best: read.best_global_step ?? bestStep(read.best_model_checkpoint),
      };
      break;
    }
    return true;
  }
}

const bestStep = (path: string | null): number | null =>
  path === null ? null : checkpointStep(path.split(/[/\\]/).at(-1)!);

/** A JSON file of Python, which has NaN and infinities as JSON has none; null: it is not whole. */
function pythonJson(path: string): unknown {
  try {
    const text = readFileSync(path, 'utf8');
    return JSON.parse(
      text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
        found.startsWith('"') ? found : `"${found}"`,
      ),
    );
  } catch {
    return null;
  }
}
