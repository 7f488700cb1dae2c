// A whole run on pairs, from options to final/: what `keel dpo` and the library's `alignPairs` are.
import { join } from 'node:path';
import {
  addLora,
  cacheFolder,
  type LanguageModel,
  loadAdapter,
  loadModel,
  namedWeights,
  resolveDevice,
  resolvePrecision,
  saveAdapter,
  saveModel,
} from '@keel/model';
import { AdamW, manualSeed, setThreads, type Tensor, threads, torchBuild } from '@keel/torch';
import { type DpoOptions, defineDpoOptions } from '../config/dpo-options.ts';
import { writeConfigYaml } from '../config/write-config.ts';
import { openRows } from '../data/open-rows.ts';
import type { PairedObjective } from '../objectives/paired.ts';
import { pairedObjective, pairedObjectiveNames, weightedObjective } from '../objectives/registry.ts';
import { describeEnvironment } from '../runs/environment.ts';
import { RunFolder } from '../runs/run-folder.ts';
import { PairSource, type PreferenceRows } from './pair-source.ts';
import { PairedTask } from './paired-task.ts';
import { precomputeReference } from './precompute-reference.ts';
import { loadReference, ReferenceScores, referenceCachePath, saveReference } from './reference-scores.ts';
import { type TrainingEvent, trainingLoop } from './training-loop.ts';

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

/** The adapter that is trained. */
const POLICY = 'policy';

/** Options of a run on pairs: only `data` and `output` have no default. */
export type AlignPairsOptions = Partial<DpoOptions> & Pick<DpoOptions, 'data' | 'output'>;

/**
 * Aligns a model on preference pairs (DPO by default): the library's form of `keel dpo`.
 * @throws Error as {@link runDpo} does, and when an option is out of range
 */
export function alignPairs(options: AlignPairsOptions, hooks: RunHooks = {}): Promise<RunResult> {
  const definition = defineDpoOptions(pairedObjectiveNames);
  return runDpo(definition.complete(definition.schema.parse(options)), hooks);
}

/**
 * Runs DPO from complete options.
 * @throws DataError, CheckpointError, Error when data, model or run folder are not as they must be
 */
export async function runDpo(options: DpoOptions, hooks: RunHooks = {}): Promise<RunResult> {
  const notify = hooks.onEvent ?? (() => {});
  const notice = (text: string): void => notify({ type: 'notice', text });
  const objective = hooks.objective ?? objectiveOf(options);
  const needsReference = objective.needsReference;
  refuseContradictions(options, needsReference);
  if (options.threads !== null) setThreads(options.threads);
  const rows = await openRows(options.data, { kind: 'preference', onBadRow: options.onBadRow });
  const heldOut =
    options.evalData === null ? null : await openRows(options.evalData, { kind: 'preference', onBadRow: options.onBadRow });
  for (const source of [rows, heldOut]) {
    if (source !== null && source.badRowCount > 0) {
      notice(`${source.badRowCount} rows of ${source.files.join(', ')} are left out, the first: ${source.badRows[0]!.message}`);
    }
  }
  using run = await RunFolder.create(options.output, {
    config: writeConfigYaml(defineDpoOptions(), options),
    resume: options.resume,
    overwrite: options.overwrite,
  });

  manualSeed(options.seed);
  const device = resolveDevice(options.device);
  const precision = resolvePrecision(options.precision, device);
  const model = await loadModel(options.model, { precision, device, trainable: !options.lora });
  const parameters = trainedParameters(model, options);
  const role = options.lora ? POLICY : 'reference';
  const sourceOptions = { seed: options.seed, shuffle: options.shuffle, maxLength: options.maxLength };
  const source = new PairSource(rows, model.tokenizer, sourceOptions);
  const evaluation = heldOut === null ? null : new PairSource(heldOut, model.tokenizer, { ...sourceOptions, shuffle: false });
  const limit = { rows: options.microBatchSize, tokens: options.microBatchTokens };
  const modelHash = await model.hash();

  const referenceOf = async (pairs: PairSource, content: PreferenceRows, label: string): Promise<ReferenceScores | null> => {
    if (!needsReference) return null;
    const scores = new ReferenceScores(model, pairs.length);
    if (!options.precomputeReference) return scores;
    const path = referenceCachePath(cacheFolder(), {
      model: modelHash,
      tokenizer: model.tokenizer.hash,
      rows: await content.fingerprint(),
      precision: `${precision} ${device}`,
      maxLength: options.maxLength,
    });
    if (loadReference(path, scores)) {
      notice(`reference log-probabilities of ${pairs.length} ${label} rows: from the cache`);
      return scores;
    }
    await precomputeReference(pairs, scores, {
      batchSize: options.batchSize,
      limit,
      onProgress: (done, total) => notice(`reference log-probabilities of ${done} of ${total} ${label} rows`),
    });
    saveReference(path, scores);
    return scores;
  };

  const reference = await referenceOf(source, rows, 'training');
  const evaluationReference = evaluation === null ? null : await referenceOf(evaluation, heldOut!, 'held-out');
  run.writeEnvironment(
    describeEnvironment({
      torch: torchBuild().version,
      device,
      threads: threads(),
      modelHashes: { [options.model]: modelHash },
      dataHashes: await dataHashes([rows, ...(heldOut === null ? [] : [heldOut])]),
    }),
  );
  const task = new PairedTask({
    model, role, source, evaluation, objective, limit, reference, evaluationReference,
    objectiveOptions: { beta: options.beta, labelSmoothing: options.labelSmoothing },
    batchSize: options.batchSize,
  });
  const optimiser = new AdamW(parameters, { weightDecay: options.weightDecay });
  const saveWeights = (folder: string): Promise<void> | void =>
    options.lora
      ? saveAdapter(folder, model.decoder, POLICY, { baseModel: model.name })
      : saveModel(folder, model.decoder, model.configJson, model.tokenizer, { dtype: 'F32' });
  const { step, interrupted } = await trainingLoop(
    { task, parameters, optimiser, run, saveWeights, onEvent: notify, ...(hooks.signal ? { signal: hooks.signal } : {}) },
    { ...options, totalSteps: totalSteps(options, rows.length) },
  );
  reportLengths(source, notice);
  const final = join(run.path, 'final');
  if (!interrupted) await run.saveFinal(saveWeights);
  await Promise.all([rows.close(), heldOut?.close()]);
  return { path: run.path, final, step, interrupted };
}

function objectiveOf({ loss, lossWeights }: DpoOptions): PairedObjective {
  return weightedObjective(loss.map((name, index) => ({ objective: pairedObjective(name), weight: lossWeights[index] ?? 1 })));
}

function refuseContradictions({ reference, loss }: DpoOptions, needsReference: boolean): void {
  if (reference === 'none' && needsReference) {
    throw new Error(`--reference none: the objective ${loss.join(' + ')} compares with a reference; leave it at "initial"`);
  }
}

/** Optimiser steps of the run: the last one of the last epoch may reach into the next. */
const totalSteps = ({ maxSteps, epochs, batchSize }: DpoOptions, rows: number): number =>
  maxSteps ?? Math.max(1, Math.ceil((epochs * rows) / batchSize));

function trainedParameters(model: LanguageModel, options: DpoOptions): Map<string, Tensor> {
  if (!options.lora) return namedWeights(model.decoder);
  if (options.adapter !== null) return loadAdapter(model.decoder, options.adapter, POLICY, { trainable: true });
  return addLora(model.decoder, POLICY, {
    rank: options.loraRank,
    alpha: options.loraAlpha,
    dropout: options.loraDropout,
    targets: options.loraTargets.includes('all-linear') ? 'all-linear' : options.loraTargets,
    seed: options.seed,
  });
}

async function dataHashes(sources: readonly { files: readonly string[]; fingerprint(): Promise<string> }[]) {
  const entries = await Promise.all(sources.map(async (one) => [one.files.join(' '), await one.fingerprint()] as const));
  return Object.fromEntries(entries);
}

function reportLengths({ tooLong, truncated }: PairSource, notice: (text: string) => void): void {
  if (tooLong.size > 0) notice(`${tooLong.size} rows were passed over: their prompt alone fills --max-length`);
  if (truncated.size > 0) notice(`${truncated.size} rows were cut at --max-length: their answers lost their end`);
}
