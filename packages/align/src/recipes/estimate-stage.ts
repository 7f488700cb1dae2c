// Estimates a stage before it runs: rows, tokens, memory and time.

import { existsSync } from 'node:fs';
import {
  activationBytes,
  backwardFlops,
  forwardFlops,
  heldBytes,
  type LanguageModel,
  loadModel,
  type ModelSizes,
  modelSizes,
  namedWeights,
  resolveDevice,
  resolvePrecision,
  totalFlops,
} from '@keel/model';
import { setThreads, threads, trimMemory } from '@keel/torch';
import { rowsOf } from '../config/row-options.ts';
import { templateSettings } from '../config/template-options.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import { openRows } from '../data/open-rows.ts';
import { RowFaults } from '../data/row-faults.ts';
import { machinePeak } from '../machine/kept-peak.ts';
import { fittingLength } from '../training/lengths.ts';
import { planPasses, type TrainedModel, trainingBytes } from '../training/pass-plan.ts';
import { loadPolicy } from '../training/policy.ts';
import { totalSteps } from '../training/run-training.ts';
import { type RowMeasure, rowMeasureOf, rowMeasures } from './measure-rows.ts';
import { type Recipe, type TrainingStage, verbOf } from './recipe.ts';

/**
 * Share of the machine's peak matmul speed that a run is expected to reach (docs/results: 0.5 to
 * 0.7 on SmolLM2-135M).
 */
export const EXPECTED_SHARE = 0.5;
/** Rows of each file that are tokenised for the estimate, evenly spread. */
const SAMPLED_ROWS = 256;

export interface StageEstimate {
  /** Rows of training; pairs, if they are made from rankings. */
  rows: number;
  /** 0 without --eval-data. */
  evalRows: number;
  steps: number;
  /**
   * Tokens that training processes over all of its steps; a prompt shared by several answers counts
   * once.
   */
  tokens: number;
  /** Peak: this process, weights, gradients, optimiser, activations of a pass. */
  memoryBytes: number;
  seconds: number;
}

/**
 * Estimates a stage from a sample of its rows and the sizes of its model.
 * @param done steps already finished
 * @param notice receives a message if this machine has to be measured first
 * @throws DataError if rows are bad, CheckpointError if the model is
 */
export async function estimateStage(
  recipe: Recipe,
  stage: TrainingStage,
  done: number,
  notice: (text: string) => void,
): Promise<StageEstimate> {
  const before = process.memoryUsage().rss;
  const count = threads();
  if (stage.options.threads !== null) setThreads(stage.options.threads);
  try {
    using trained = await loadForSizes(recipe, stage);
    const { model } = trained;
    const positions = model.decoder.config.maxPositions;
    const maxLength = fittingLength(stage.options.maxLength, positions, () => {});
    const options = { ...stage.options, maxLength };
    const sizes = modelSizes(model.decoder);
    const verb = verbOf(stage);
    const how = rowMeasureOf(verb, options);
    const rows = await measureRows(how, options.data, options, model, sizes);
    const held =
      options.evalData && (await measureRows(how, options.evalData, options, model, sizes));
    const mix = verb.mixed?.(stage.options) ?? null;
    const mixed =
      mix && (await measureRows(rowMeasures[mix.rows], mix.data, options, model, sizes));
    const ofMix = mixed === null ? 0 : mix!.count * (mixed.forward + mixed.backward);
    const perBatch = how.stepsPerBatch?.(options) ?? 1;
    const steps = totalSteps(options, Math.max(1, rows.usable), perBatch);
    const left = Math.max(0, steps - done);
    const seen = (left / perBatch) * options.batchSize;
    const { once = 0, always = 0, trained: updates = 1 } = verb.otherPasses?.(stage.options) ?? {};
    const ofStep = (updates + always) * rows.forward + updates * rows.backward;
    const ofEvaluations = evaluations(options, steps) * (1 + always) + once;
    const flops =
      seen * ofStep +
      left * ofMix +
      Math.min(seen, rows.usable) * once * rows.forward +
      (held ? held.usable * held.forward * ofEvaluations : 0);
    const { precision } = trained;
    const peak = machinePeak({ precision, device: model.device }, notice);
    return {
      rows: rows.rows,
      evalRows: held ? held.rows : 0,
      steps,
      tokens: Math.round(
        (steps / perBatch) * options.batchSize * rows.tokens +
          steps * (mixed === null ? 0 : mix!.count * mixed.tokens),
      ),
      memoryBytes: before + memoryOf(trained, options, Math.max(rows.longest, mixed?.longest ?? 0)),
      seconds: flops / (EXPECTED_SHARE * peak.flops),
    };
  } finally {
    setThreads(count);
    trimMemory();
  }
}

type SizedModel = TrainedModel & Disposable & { precision: 'fp32' | 'bf16' };

/**
 * The stage's model or, if an earlier stage will produce it, that stage's model: sizes are the
 * same. Weights keep their stored type.
 */
async function loadForSizes(recipe: Recipe, stage: TrainingStage): Promise<SizedModel> {
  const { options } = stage;
  const model = modelForSizes(recipe, stage);
  if (options.lora) {
    const adapter =
      options.adapter !== null && existsSync(options.adapter) ? options.adapter : null;
    const takesHead = verbOf(stage).gives === 'reward model';
    return loadPolicy({ ...options, model, adapter }, { takesHead });
  }
  const device = resolveDevice(options.device);
  const precision = resolvePrecision(options.precision, device, true);
  const loaded = await loadModel(model, {
    ...{ precision, device, classifier: true },
    template: templateSettings(options),
  });
  const parameters = namedWeights(loaded.decoder);
  for (const weight of parameters.values()) weight.setRequiresGrad();
  const dispose = (): void => loaded.dispose();
  return { model: loaded, role: 'reference', parameters, precision, [Symbol.dispose]: dispose };
}

function modelForSizes(recipe: Recipe, { options, from }: TrainingStage): string {
  const [name] = from.get('model') ?? [];
  if (name === undefined || existsSync(options.model)) return options.model;
  // Only stages that train have models.
  return modelForSizes(recipe, recipe.stages.find((one) => one.name === name) as TrainingStage);
}

export interface RowsWork {
  rows: number;
  /** Extrapolated from the sample. */
  usable: number;
  /** Mean per row. */
  tokens: number;
  /** Tokens of the longest row in the sample. */
  longest: number;
  /** Mean floating-point operations per row. */
  forward: number;
  backward: number;
}

/** Measures the rows of files, from a sample of them. */
export async function measureRows(
  { kind, derive = (row) => [row], measure }: RowMeasure,
  data: readonly string[],
  options: Pick<TrainingOptions, 'onBadRow' | 'columns' | 'wrapChat' | 'lora' | 'maxLength'>,
  model: Pick<LanguageModel, 'tokenizer'>,
  sizes: ModelSizes,
): Promise<RowsWork> {
  await using source = await openRows(data, { ...rowsOf(options), kind });
  const sampled = Math.min(source.length, SAMPLED_ROWS);
  const places = Array.from({ length: sampled }, (_, at) =>
    Math.floor((at * source.length) / sampled),
  );
  const made = (await source.readMany(places)).flatMap((row, at) =>
    derive(row, options as TrainingOptions).map((one) => ({ one, place: places[at]! })),
  );
  const faults = new RowFaults(options.onBadRow);
  const found = made.flatMap(
    ({ one, place }) =>
      faults.take(source.place(place), () =>
        measure(one, model.tokenizer, options as TrainingOptions),
      ) ?? [],
  );
  const ofAll = (count: number): number => Math.round((source.length * count) / sampled);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const forward = found.map(({ packed, scored }) => forwardFlops(sizes, packed, scored));
  const lengths = found.map(({ packed }) => packed.tokens.length);
  const trainedWeights = !options.lora;
  return {
    rows: ofAll(made.length),
    usable: ofAll(found.length),
    tokens: mean(lengths),
    longest: Math.max(0, ...lengths),
    forward: mean(forward.map(totalFlops)),
    backward: mean(forward.map((one) => totalFlops(backwardFlops(one, { trainedWeights })))),
  };
}

/** Before the first step and after the last, or as set by --eval-steps. */
const evaluations = ({ evalSteps }: TrainingOptions, steps: number): number =>
  evalSteps === null ? 2 : 1 + Math.ceil(steps / evalSteps);

function memoryOf(trained: SizedModel, options: TrainingOptions, longest: number): number {
  const { model, role } = trained;
  const weights = [...namedWeights(model.decoder).values()];
  const stored = weights.reduce((sum, weight) => sum + heldBytes(weight), 0);
  // Full fine-tuning keeps parameters in float32, whatever the compute precision.
  const base = options.lora ? stored : weights.reduce((sum, { size }) => sum + 4 * size, 0);
  const passes = planPasses(trained, options, () => {});
  const { rows, tokens: most } = passes.limit;
  const step = options.batchSize * longest;
  const tokens =
    most === null ? (rows ?? options.batchSize) * longest : Math.min(Math.max(most, longest), step);
  const bytes = activationBytes(model.decoder, role === 'reference' ? null : role);
  const perToken = passes.recomputes(tokens) ? bytes.checkpointed : bytes.held;
  return base + trainingBytes(trained) + tokens * perToken;
}
