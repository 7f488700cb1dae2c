// What describes a run: its folder and its small files.
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type Environment,
  type Health,
  type LockHolder,
  lockHolder,
  type RunRecord,
  readRunRecord,
  readStageFile,
  type StageRecord,
} from '@keel/align/runs';
import { isPlainObject } from '@keel/model/exact-json';
import { parse } from 'yaml';
import type { z } from 'zod';
import type { FoundRun } from '../folders/find-runs.ts';
import { FileCache, signatureOf } from '../folders/read-files.ts';
import type { RunRoot } from '../folders/run-root.ts';
import { optionOf, parseConfig, type RunConfig } from './config.ts';
import { type TrainerCard, trainerCard } from './trainer-card.ts';

type ResumedEnvironment = Environment & { resumed?: Environment[] };

/** Small files of runs, read again only if they changed. */
export class RunFiles {
  readonly root: RunRoot;
  readonly #cache = new FileCache();

  constructor(root: RunRoot) {
    this.root = root;
  }

  /** The run's config.yaml; null if it has none, or it is damaged. */
  config({ path }: Pick<FoundRun, 'path'>): RunConfig | null {
    return this.#cache.read(this.root.within(path, 'config.yaml'), parseConfig);
  }

  record({ path }: Pick<FoundRun, 'path'>): RunRecord | null {
    return this.#cache.read(this.root.within(path, 'run.json'), () => readRunRecord(path));
  }

  /** The folder that a run was made in, which is another one if it was moved; null: not known. */
  madeAt(run: Pick<FoundRun, 'path'>): string | null {
    const folder = this.record(run)?.folder;
    const output = optionOf(this.config(run), 'output');
    if (folder === undefined || typeof output !== 'string') return null;
    const path = resolve(folder, output);
    try {
      return realpathSync.native(path);
    } catch {
      return path;
    }
  }

  environment({ path }: Pick<FoundRun, 'path'>): ResumedEnvironment | null {
    return this.json(path, 'environment.json') as ResumedEnvironment | null;
  }

  /** The stages of a recipe or a comparison; null if it has none, or the file is damaged. */
  stages({ path }: Pick<FoundRun, 'path'>): Record<string, StageRecord> | null {
    return this.#cache.read(
      this.root.within(path, 'stages.json'),
      () => readStageFile(path).stages,
    );
  }

  /** Stages in the recipe that was run; null if it cannot be read. */
  stageCount({ path }: Pick<FoundRun, 'path'>): number | null {
    return this.#cache.read(this.root.within(path, 'recipe.yaml'), countStages);
  }

  /** TRL's model card; null: there is none. */
  trainerCard({ path }: Pick<FoundRun, 'path'>): TrainerCard | null {
    return this.#cache.read(this.root.within(path, 'README.md'), trainerCard);
  }

  /** What the run found wrong with itself; null: it has not written it. */
  health({ path }: Pick<FoundRun, 'path'>): Health | null {
    const found = this.json(path, 'health.json');
    return found !== null && Array.isArray(found.findings) && Array.isArray(found.checked)
      ? (found as unknown as Health)
      : null;
  }

  /** Files that describe the run and cannot be read, a sentence each. */
  damaged(run: Pick<FoundRun, 'path'>): string[] {
    const read: Record<string, unknown> = {
      'config.yaml': this.config(run),
      'run.json': this.record(run),
      'environment.json': this.environment(run),
      'stages.json': this.stages(run),
      'health.json': this.health(run),
    };
    return Object.entries(read).flatMap(([name, value]) =>
      value === null && this.has(run.path, name) ? [`${name}: is damaged, or cannot be read`] : [],
    );
  }

  /** The process that writes the run, or wrote it last and was killed. */
  holder({ path }: Pick<FoundRun, 'path'>): LockHolder | null {
    try {
      return this.root.within(path, '.lock') === null ? null : lockHolder(path);
    } catch {
      return null;
    }
  }

  /** A JSON object in the run's folder; null if there is none. */
  json(path: string, name: string): Record<string, unknown> | null {
    return this.#cache.read(this.root.within(path, name), parseObject);
  }

  /** A JSON file by its schema. @returns `fault` says why a file that exists cannot be read */
  checked<T>(
    path: string,
    name: string,
    schema: z.ZodType<T>,
  ): { found: T | null; fault: string | null } {
    const file = this.root.within(path, name);
    if (file === null) return { found: null, fault: null };
    const value = this.#cache.read(file, (text) => ({ parsed: JSON.parse(text) as unknown }));
    if (value === null) return { found: null, fault: `${name}: is not JSON, or too large` };
    const { data, error } = schema.safeParse(value.parsed);
    if (data !== undefined) return { found: data, fault: null };
    const { path: place, message } = error!.issues[0]!;
    const where = place.length === 0 ? '' : ` at ${place.join('.')}`;
    return { found: null, fault: `${name}: another version of Keel wrote it${where}: ${message}` };
  }

  /** A text in the run's folder; null if there is none. */
  text(path: string, name: string): string | null {
    return this.#cache.read(this.root.within(path, name), asText);
  }

  /** When one of these files was last written, in ISO 8601; null if there are none. */
  updated({ path }: Pick<FoundRun, 'path'>, names: readonly string[]): string | null {
    const times = names.flatMap((name) => {
      const file = this.root.within(path, name);
      return file === null ? [] : [statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0];
    });
    return times.length === 0 ? null : new Date(Math.max(...times)).toISOString();
  }

  /** Differs if a file of a run was written again. @returns null if there is none */
  signature({ path }: Pick<FoundRun, 'path'>, name: string): string | null {
    const file = this.root.within(path, name);
    return file === null ? null : signatureOf(file);
  }

  has(path: string, name: string): boolean {
    return this.root.within(path, name) !== null;
  }
}

const asText = (text: string): string => text;

function parseObject(text: string): Record<string, unknown> {
  const found: unknown = JSON.parse(text);
  if (!isPlainObject(found)) throw new Error('not an object');
  return found;
}

function countStages(text: string): number {
  const { stages } = parse(text) as { stages: object };
  return Object.keys(stages).length;
}
