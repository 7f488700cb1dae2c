// Whether a stage is done, goes on or runs, and why.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashPath } from '../data/hash-path.ts';
import type { FileHash } from '../data/open-rows.ts';
import { latestCheckpoint } from '../runs/checkpoints.ts';
import { finalFolder, type RecipeStage, stageFolder, standsOn } from './recipe.ts';
import { changesOf, identityOfStage, type KnownResults, keysFrom } from './stage-identity.ts';
import type { StageIdentity, StageRecord, StageRecords } from './stage-records.ts';

export interface StageState {
  /** `done`: nothing changed; `resume`: it broke off; `run`: from its beginning. */
  status: 'done' | 'resume' | 'run';
  /** Each in a few words. */
  why: string[];
  /** Steps of the checkpoint that it goes on from. */
  step: number;
  identity: StageIdentity;
  /** What stages after it stand on; null where it is not known before the stage ran. */
  result: readonly FileHash[] | null;
}

export interface StateContext {
  output: string;
  records: StageRecords;
  results: KnownResults;
  /** Everything begins anew. */
  overwrite: boolean;
}

/**
 * @throws DataError, Error where rows or models are named that are not there
 * @throws Error where the stage's folder holds a run that is not the recipe's
 */
export async function stateOfStage(
  stage: RecipeStage,
  { output, records, results, overwrite }: StateContext,
): Promise<StageState> {
  const { name } = stage;
  const { identity, complete } = await identityOfStage(stage, results);
  const begun = existsSync(join(stageFolder(output, name), 'config.yaml'));
  const record = records[name];
  const run = (...why: string[]): StageState => ({
    ...{ status: 'run', why, step: 0, identity, result: null },
  });
  if (overwrite) return run(begun ? '--overwrite: begins anew' : 'not run yet');
  if (record === undefined) {
    if (begun) refuseOthersRun(stageFolder(output, name));
    return run('not run yet');
  }
  const running = standsOn(stage).filter((one) => results.get(one) === null);
  const changes = changesOf(record.identity, identity, keysFrom(stage, running));
  if (changes.length > 0) return run(...changes);
  if (!complete) return run(`stands on ${running.join(' and ')}, to be run before`);
  if (record.result === null) {
    if (!begun) return run('broke off before it began');
    const checkpoint = await latestCheckpoint(join(stageFolder(output, name), 'checkpoints'));
    const step = checkpoint?.step ?? 0;
    const why =
      step === 0
        ? 'broke off before its first checkpoint'
        : `broke off after its checkpoint of step ${step}`;
    return { status: 'resume', why: [why], step, identity, result: null };
  }
  const final = finalFolder(output, name);
  if (!existsSync(final)) return run('its result is gone');
  if ((await hashPath(final)) !== record.result.sha256) {
    return run('its result was changed by something else');
  }
  return {
    status: 'done',
    why: [],
    step: record.result.step,
    identity,
    result: resultOf(stage, record),
  };
}

/** What stages after a finished one stand on: an adapter is nothing without its base. */
export function resultOf(
  { name, options: { lora } }: RecipeStage,
  { identity, result }: StageRecord,
): FileHash[] | null {
  if (result === null) return null;
  const base = lora ? (identity.inputs.model ?? []) : [];
  return [...base, { name: `stages.${name}`, sha256: result.sha256 }];
}

function refuseOthersRun(folder: string): never {
  throw new Error(
    `${folder}: holds a run that this recipe did not begin. Give the recipe another output, or --overwrite, which throws that run away`,
  );
}
