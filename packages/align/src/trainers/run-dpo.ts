// A whole run on pairs, from options to final/: what `keel dpo` and the library's `alignPairs` are.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AdamW, setThreads, threads, torchBuild } from '@keel/torch';
import { type DpoOptions, defineDpoOptions } from '../config/dpo-options.ts';
import { writeConfigYaml } from '../config/write-config.ts';
import type { PairedObjective } from '../objectives/paired.ts';
import {
  pairedObjective,
  pairedObjectiveNames,
  weightedObjective,
} from '../objectives/registry.ts';
import { describeEnvironment } from '../runs/environment.ts';
import { RunFolder } from '../runs/run-folder.ts';
import { type DpoData, dataHashes, openDpoData, writeRows } from './dpo-data.ts';
import { loadPolicy } from './dpo-policy.ts';
import { openReferences, refuseMissingReference } from './dpo-reference.ts';
import { fittingLength, surveyLengths } from './lengths.ts';
import { PairSource } from './pair-source.ts';
import { PairedTask } from './paired-task.ts';
import { planPasses } from './pass-plan.ts';
import { begunPassTokens, compareWithCheckpoint, identityOf } from './run-identity.ts';
import { type TrainingEvent, trainingLoop } from './training-loop.ts';
import { NonFiniteLossError } from './training-task.ts';

export interface RunHooks {
  onEvent?(event: TrainingEvent | { type: 'notice'; text: string }): void;
  /** Finishes the step under way, writes a checkpoint and ends. */
  signal?: AbortSignal;
  /** In place of the one that `loss` names. */
  objective?: PairedObjective;
}

export interface RunResult {
  /** The run's folder. */
  path: string;
  /** What other tools load: an adapter, or a whole model. */
  final: string;
  step: number;
  interrupted: boolean;
}

/** Options of a run on pairs: only `data` and `output` have no default. */
export type AlignPairsOptions = Partial<DpoOptions> & Pick<DpoOptions, 'data' | 'output'>;

/**
 * Aligns a model on preference pairs (DPO by default): the library's form of `keel dpo`.
 * @throws Error as {@link runDpo} does, and when an option is out of range
 */
export async function alignPairs(
  options: AlignPairsOptions,
  hooks: RunHooks = {},
): Promise<RunResult> {
  const definition = defineDpoOptions(pairedObjectiveNames);
  return runDpo(definition.complete(definition.schema.parse(options)), hooks);
}

/**
 * Runs DPO from complete options. Everything it loads is freed when it ends, also by an error.
 * @throws DataError, CheckpointError, Error when data, model or run folder are not as they must be, or are not those of
 *   the run that is resumed
 * @throws NonFiniteLossError when the loss is NaN or infinite; its rows stand in the run's non-finite-rows.jsonl
 */
export async function runDpo(asked: DpoOptions, hooks: RunHooks = {}): Promise<RunResult> {
  const notice = (text: string): void => hooks.onEvent?.({ type: 'notice', text });
  const { objective = objectiveOf(asked) } = hooks;
  // config.yaml names the objective that the run has.
  const options = hooks.objective ? { ...asked, loss: [objective.name], lossWeights: [1] } : asked;
  if (objective.needsReference) refuseMissingReference(options);
  if (options.threads !== null) setThreads(options.threads);
  await using data = await openDpoData(options, notice);
  using run = await RunFolder.create(options.output, {
    config: writeConfigYaml(defineDpoOptions(), options),
    resume: options.resume,
    overwrite: options.overwrite,
  });
  const offendingRows = join(run.path, 'non-finite-rows.jsonl');
  rmSync(offendingRows, { force: true });

  try {
    return await train(options, objective, data, run, hooks);
  } catch (error) {
    if (error instanceof NonFiniteLossError) {
      await writeRows(offendingRows, error.heldOut ? data.heldOut! : data.rows, error.rows);
    }
    throw error;
  }
}

async function train(
  asked: DpoOptions,
  objective: PairedObjective,
  data: DpoData,
  run: RunFolder,
  { onEvent = () => {}, signal }: RunHooks,
): Promise<RunResult> {
  const notice = (text: string): void => onEvent({ type: 'notice', text });
  using policy = await loadPolicy(asked);
  const { model, role, parameters, saveWeights } = policy;
  const positions = model.decoder.config.maxPositions;
  const options = { ...asked, maxLength: fittingLength(asked.maxLength, positions, notice) };
  const identity = await identityOf(options, data, policy);
  await compareWithCheckpoint(run, identity, notice);
  const { rows, heldOut } = data;
  const { seed, maxLength, batchSize, onBadRow } = options;
  const usual = { seed, maxLength, positions, onBadRow };
  using source = new PairSource(rows, model.tokenizer, { ...usual, shuffle: options.shuffle });
  using evaluation =
    heldOut &&
    new PairSource(heldOut, model.tokenizer, { ...usual, shuffle: false, option: '--eval-data' });
  const part = options.maxSteps !== null && options.maxSteps * batchSize < rows.length;
  const lengths = [await surveyLengths(source, { notice, signal, part })];
  if (evaluation !== null) lengths.push(await surveyLengths(evaluation, { notice, signal }));
  const { limit, recomputes } = planPasses(policy, options, notice, {
    began: await begunPassTokens(run),
  });
  identity.microBatchTokens = limit.tokens;
  const references = objective.needsReference
    ? await openReferences(
        policy,
        options,
        { pairs: source, rows, heldOut: false },
        evaluation && { pairs: evaluation, rows: heldOut!, heldOut: true },
        { batchSize, limit },
        notice,
      )
    : null;
  if (references?.hash != null) {
    identity.inputs['--reference'] = [{ name: options.reference, sha256: references.hash }];
    await compareWithCheckpoint(run, identity);
  }
  run.writeEnvironment(
    describeEnvironment({
      torch: torchBuild().version,
      device: model.device,
      threads: threads(),
      modelHashes: { [options.model]: await model.hash() },
      dataHashes: await dataHashes(data),
    }),
  );
  const task = new PairedTask({
    model,
    role,
    source,
    evaluation,
    objective,
    objectiveOptions: { beta: options.beta, labelSmoothing: options.labelSmoothing },
    batchSize,
    limit,
    recomputes,
    reference: references?.training ?? null,
    evaluationReference: references?.evaluation ?? null,
  });
  using owned = new DisposableStack();
  const optimiser = owned.adopt(
    new AdamW(parameters, { weightDecay: options.weightDecay }),
    (one) => one.dispose(),
  );
  const tellAndShow = (event: TrainingEvent): void => {
    onEvent(event);
    for (const report of lengths) report.tell();
  };
  const loop = {
    ...{ task, parameters, optimiser, run, identity, saveWeights, signal, notice },
    onEvent: tellAndShow,
  };
  const steps = totalSteps(options, source.usable);
  // The step computes on all cores: one thread beside it is enough to be ahead.
  source.expect(steps * batchSize, { threads: 1 });
  evaluation?.expect(0, { threads: 0 });
  const ended = await trainingLoop(loop, { ...options, totalSteps: steps });
  for (const report of lengths) report.tell({ all: true });
  if (!ended.interrupted) await run.saveFinal(saveWeights);
  return { path: run.path, final: run.finalPath, ...ended };
}

function objectiveOf({ loss, lossWeights }: DpoOptions): PairedObjective {
  return weightedObjective(
    loss.map((name, index) => ({
      objective: pairedObjective(name),
      weight: lossWeights[index] ?? 1,
    })),
  );
}

/** Optimiser steps of the run: the last one of the last epoch may reach into the next. */
function totalSteps({ maxSteps, epochs, batchSize }: DpoOptions, rows: number): number {
  // 0.1 * 30 is a little more than 3: that is no step of its own.
  const steps = Number(((epochs * rows) / batchSize).toFixed(9));
  return maxSteps ?? Math.max(1, Math.ceil(steps));
}
