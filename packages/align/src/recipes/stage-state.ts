// Whether a stage is done, resumes or runs, and why.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashPath } from '../data/hash-path.ts';
import type { FileHash } from '../data/open-rows.ts';
import { latestCheckpoint } from '../runs/checkpoints.ts';
import { jobHash } from './job-hash.ts';
import { dependsOn, finalFolder, type RecipeStage, stageFolder } from './recipe.ts';
import {
  changesOf,
  defaultsOf,
  identityOfStage,
  type KnownResults,
  keysFrom,
} from './stage-identity.ts';
import type { StageIdentity, StageRecord, StageRecords } from './stage-records.ts';

export interface StageState {
  /** `done`: nothing changed; `resume`: it was interrupted; `run`: from the start. */
  status: 'done' | 'resume' | 'run';
  /** The reasons, in a few words each. */
  why: string[];
  /** The step of the checkpoint that it resumes from. */
  step: number;
  identity: StageIdentity;
  /** The files that later stages depend on; null if they are not known before the stage runs. */
  result: readonly FileHash[] | null;
}

export interface StateContext {
  output: string;
  records: StageRecords;
  results: KnownResults;
  /** Run every stage from the start. */
  overwrite: boolean;
}

/**
 * @throws DataError, Error if named rows or models do not exist
 * @throws Error if the stage's folder contains a run that is not the recipe's
 */
export async function stateOfStage(
  stage: RecipeStage,
  { output, records, results, overwrite }: StateContext,
): Promise<StageState> {
  const { name } = stage;
  const { identity, complete } = await identityOfStage(stage, results);
  const folder = stageFolder(output, name);
  const started = existsSync(stage.kind === 'training' ? join(folder, 'config.yaml') : folder);
  const record = records[name];
  const run = (...why: string[]): StageState => ({
    ...{ status: 'run', why, step: 0, identity, result: null },
  });
  if (overwrite) return run(started ? '--overwrite' : 'no earlier run');
  if (record === undefined) {
    if (started) refuseOthersRun(folder);
    return run('no earlier run');
  }
  const running = dependsOn(stage).filter((one) => results.get(one) === null);
  const changes = changesOf(
    ...([record.identity, identity] as const),
    keysFrom(stage, running),
    defaultsOf(stage),
  );
  if (changes.length > 0) return run(...changes);
  if (!complete) return run(`depends on ${running.join(' and ')}, which will run first`);
  if (record.result === null) {
    if (!started) return run('interrupted before it started');
    if (stage.kind === 'job') {
      return { ...run('interrupted'), status: 'resume' };
    }
    const checkpoint = await latestCheckpoint(join(folder, 'checkpoints'));
    const step = checkpoint?.step ?? 0;
    const why =
      step === 0
        ? 'interrupted before its first checkpoint'
        : `interrupted after the checkpoint of step ${step}`;
    return { status: 'resume', why: [why], step, identity, result: null };
  }
  const sha256 = await resultHash(output, stage);
  if (sha256 === null) return run('its result is missing');
  if (sha256 !== record.result.sha256) return run('its result was modified');
  return {
    status: 'done',
    why: [],
    step: record.result.step,
    identity,
    result: resultOf(stage, record),
  };
}

/** SHA-256 of a stage's result; null if it is missing. */
async function resultHash(output: string, stage: RecipeStage): Promise<string | null> {
  if (stage.kind === 'job') return jobHash(output, stage);
  const final = finalFolder(output, stage.name);
  return existsSync(final) ? hashPath(final) : null;
}

/** The files that stages after a finished one depend on: an adapter includes its base model. */
export function resultOf(
  { name, options }: RecipeStage,
  { identity, result }: StageRecord,
): FileHash[] | null {
  if (result === null) return null;
  const base = options.lora ? (identity.inputs.model ?? []) : [];
  return [...base, { name: `stages.${name}`, sha256: result.sha256 }];
}

function refuseOthersRun(folder: string): never {
  throw new Error(
    `${folder}: contains a run that was started separately. Choose another output folder, or pass --overwrite to delete that run`,
  );
}
