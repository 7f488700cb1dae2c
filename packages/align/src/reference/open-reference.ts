// Which reference a run has, and where its log-probabilities come from: computed as rows come up,
// or before training and cached on disk.
import { cacheFolder, heldAs, type LanguageModel, loadModel, type Role } from '@keel/model';
import { addonBuild } from '@keel/torch';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import type { PackedAnswers } from '../batching/pack-answers.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import { removeCached } from '../runs/optional-cache.ts';
import { type Packing, type Pass, type Placed, passes } from '../training/passes.ts';
import { divisionOf, type Policy } from '../training/policy.ts';
import type { Notice } from '../training/run-data.ts';
import { hashAdapter } from '../training/run-identity.ts';
import type { PreparedRun } from '../training/run-training.ts';
import type { AnySource } from '../training/tokenised-source.ts';
import { MovingReference, movingOptions } from './moving-reference.ts';
import { refuseOtherTokens } from './other-tokens.ts';
import { RowReference, type RowReferenceParts, type RowScoring } from './reference.ts';
import {
  type AnswerKey,
  loadRows,
  type RowsKey,
  rowsPath,
  type SharedReferences,
  saveRows,
} from './reference-cache.ts';

/** Options of the methods that compare with a reference. */
export interface ReferenceOptions extends TrainingOptions {
  /** `initial`: the policy before training; else a model. */
  reference: string;
  precomputeReference: boolean;
  referenceSyncSteps: number | null;
  referenceMix: number;
}

/** What an opened reference depends on of a run. */
export interface ReferencedRun<Row>
  extends Pick<
    PreparedRun<ReferenceOptions, never, unknown>,
    'options' | 'policy' | 'passes' | 'addInput' | 'notice' | 'signal'
  > {
  source: AnySource<Row>;
  evaluation: AnySource<Row> | null;
  data: { rows: DatasetRows; heldOut: DatasetRows | null };
}

interface DatasetRows {
  readonly length: number;
  fingerprint(): Promise<string>;
}

/** How the rows of a run are packed and scored. */
export interface RowKindScoring<Row, Batch extends PackedAnswers> {
  packing: Packing<Row, Batch>;
  scoring: RowScoring<Batch>;
  /** What the scores depend on beside rows and models. */
  key: Pick<RowsKey, 'firstTokens' | 'width'>;
}

/**
 * The reference of a run on rows. A LoRA run on its own base computes it as rows come up, unless
 * `--precompute-reference` is given, and so does a run whose reference moves. Any other run
 * changes its reference while it trains, or has another model, and computes everything now.
 * A dry run only checks it.
 * @param shared cached by other runs as rows came up
 * @throws Error when the reference model has other tokens than the policy, or takes fewer than
 *   --max-length; the signal's reason when it fires
 */
export async function openReference<Row extends Placed, Batch extends PackedAnswers>(
  run: ReferencedRun<Row>,
  kind: RowKindScoring<Row, Batch>,
  shared?: SharedReferences,
): Promise<RowReference<Batch>> {
  const { options, policy, source, data } = run;
  const { model } = policy;
  const rows = { training: data.rows.length, heldOut: data.heldOut?.length ?? 0 };
  const parts: RowReferenceParts<Batch> = { model, scoring: kind.scoring, rows };
  const asked = movingOptions(options);
  if (asked !== null) {
    return new RowReference({ ...parts, moving: new MovingReference(model, policy.role, asked) });
  }
  const fixed = options.lora && options.adapter === null && options.reference === 'initial';
  if (!fixed || options.precomputeReference) return precomputed(run, kind, parts);
  const answers = shared?.of(await answerKey({ model, adapterHash: null }, policy));
  const reference = new RowReference({ ...parts, shared: answers });
  if (shared !== undefined) {
    // Those of the first step are computed in its own passes: its loss is exact on every machine.
    const first = await firstStep(source, options.batchSize);
    reference.computeHere(first.map(({ row }) => row));
  }
  return reference;
}

async function precomputed<Row extends Placed, Batch extends PackedAnswers>(
  run: ReferencedRun<Row>,
  kind: RowKindScoring<Row, Batch>,
  parts: RowReferenceParts<Batch>,
): Promise<RowReference<Batch>> {
  const { options, policy, source, evaluation, data, passes: plan, addInput } = run;
  using subject = await referenceModel(policy, options);
  const reference = new RowReference({ ...parts, model: subject.model, role: subject.role });
  if (options.dryRun) return reference;
  const shape = { batchSize: options.batchSize, limit: plan.limit };
  const fill = async (own: AnySource<Row>, rows: DatasetRows, heldOut: boolean): Promise<void> => {
    const key = {
      ...(await answerKey(subject, policy)),
      rows: await rows.fingerprint(),
      maxLength: options.maxLength,
      ...kind.key,
    };
    await computeOrLoad(reference, own, { ...shape, ...run, ...kind, heldOut, key });
  };
  await fill(source, data.rows, false);
  if (subject.initial) await recomputeFirstStep(reference, source, { ...shape, ...kind });
  if (evaluation !== null) await fill(evaluation, data.heldOut!, true);
  if (!subject.initial) {
    const sha256 = await subject.model.hash();
    await addInput('--reference', [{ name: options.reference, sha256 }]);
  }
  return reference;
}

interface ReferenceModel extends Disposable {
  model: LanguageModel;
  role: Role;
  /** Whether it is the policy before its first step. */
  initial: boolean;
  /** Hash of the adapter that is applied to it, or null. */
  adapterHash: string | null;
}

async function referenceModel(
  { model, role, precision }: Policy,
  options: ReferenceOptions,
): Promise<ReferenceModel> {
  if (options.reference === 'initial') {
    const adapterHash = options.adapter === null ? null : hashAdapter(options.adapter);
    return { model, role, initial: true, adapterHash, [Symbol.dispose]: () => {} };
  }
  const { basePrecision } = options;
  const other = await loadModel(options.reference, {
    ...{ precision, basePrecision, device: model.device, divides: divisionOf(options) },
  });
  try {
    refuseOtherTokens(
      { tokenizer: other.tokenizer, option: `--reference ${options.reference}` },
      { tokenizer: model.tokenizer, option: `--model ${options.model}` },
    );
    refuseFewerPositions(other.decoder.config.maxPositions, options);
  } catch (error) {
    other.dispose();
    throw error;
  }
  return {
    model: other,
    role: 'reference',
    initial: false,
    adapterHash: null,
    [Symbol.dispose]: () => other.dispose(),
  };
}

/** How a step's rows are split into passes, as in training. */
export interface StepShape<Row, Batch extends PackedAnswers> {
  packing: Packing<Row, Batch>;
  batchSize: number;
  limit: MicroBatchLimit;
}

async function computeOrLoad<Row extends Placed, Batch extends PackedAnswers>(
  reference: RowReference<Batch>,
  source: AnySource<Row>,
  options: StepShape<Row, Batch> & {
    heldOut: boolean;
    key: RowsKey;
    notice: Notice;
    signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { heldOut, key, notice, signal } = options;
  const cache = heldOut ? reference.heldOut : reference.training;
  const label = heldOut ? 'held-out' : 'training';
  const path = rowsPath(cacheFolder(), key);
  if (loadRows(path, cache)) {
    notice(`reference log-probabilities of ${source.length} ${label} rows: from the cache`);
    return;
  }
  // What an interrupted call has computed.
  const begun = `${path}.begun`;
  loadRows(begun, cache);
  try {
    await precompute(reference, source, {
      ...options,
      onProgress: (done, total) =>
        notice(
          `reference log-probabilities of ${done} of ${total} ${label} rows`,
          `reference progress, ${label}`,
        ),
    });
  } catch (error) {
    if (signal?.aborted) saveRows(begun, cache, notice);
    throw error;
  }
  saveRows(path, cache, notice);
  removeCached(begun);
}

const beginning = { epoch: 0, index: 0 };

/**
 * Computes the reference of every row that is not cached, in the order and the passes of the first
 * epoch. The source's state does not change.
 * @throws Error when no row fits the maximum length; the signal's reason when it fires
 */
export async function precompute<Row extends Placed, Batch extends PackedAnswers>(
  reference: RowReference<Batch>,
  source: AnySource<Row>,
  options: StepShape<Row, Batch> & {
    heldOut?: boolean;
    signal?: AbortSignal | undefined;
    onProgress?(done: number, total: number): void;
  },
): Promise<void> {
  const { batchSize, signal, onProgress } = options;
  const before = source.state();
  source.restore(beginning);
  let done = 0;
  const left = (): number => source.length - source.leftOut - done;
  while (left() > 0) {
    signal?.throwIfAborted();
    const placed = await source.next(Math.min(batchSize, left()));
    await compute(reference, placed, options);
    done += placed.length;
    onProgress?.(Math.min(source.length, done + source.leftOut), source.length);
  }
  if (done === 0) source.refuseNothingLeft();
  source.restore(before);
}

/**
 * Computes the reference of the first step's rows again, in the passes of that step: the policy,
 * which is then still the reference, scores them with the same bits, and the first loss is exactly
 * ln 2. Scores of other passes may differ in the last bit. The source's state does not change.
 */
export async function recomputeFirstStep<Row extends Placed, Batch extends PackedAnswers>(
  reference: RowReference<Batch>,
  source: AnySource<Row>,
  shape: StepShape<Row, Batch>,
): Promise<void> {
  const placed = await firstStep(source, shape.batchSize);
  reference.training.remove(placed.map(({ row }) => row));
  await compute(reference, placed, shape);
}

/** The rows of the first step. The source's state does not change. */
async function firstStep<Row>(source: AnySource<Row>, batchSize: number): Promise<Row[]> {
  const before = source.state();
  source.restore(beginning);
  const placed = await source.next(batchSize);
  source.restore(before);
  return placed;
}

async function compute<Row extends Placed, Batch extends PackedAnswers>(
  reference: RowReference<Batch>,
  placed: readonly Row[],
  { packing, limit, heldOut = false }: StepShape<Row, Batch> & { heldOut?: boolean },
): Promise<void> {
  const parts = { model: reference.model, role: reference.role, limit };
  const options = { divisor: null, heldOut };
  const work = (pass: Pass<Row, Batch>) => reference.logprobs(pass);
  for await (const { pass, found } of passes(parts, placed, packing, options, work)) {
    reference.learn(pass, found);
  }
}

/** What the reference's log-probability of an answer depends on, in any row. */
export const answerKey = async (
  reference: Pick<ReferenceModel, 'model' | 'adapterHash'>,
  { model, precision }: Pick<Policy, 'model' | 'precision'>,
): Promise<AnswerKey> => ({
  model: await reference.model.hash(),
  adapter: reference.adapterHash,
  tokenizer: model.tokenizer.hash,
  precision: `${heldAs(precision, reference.model)} ${model.device}`,
  software: addonBuild(),
});

function refuseFewerPositions(positions: number, { reference, maxLength }: ReferenceOptions): void {
  if (maxLength === null || maxLength <= positions) return;
  throw new Error(
    `--reference ${reference} takes at most ${positions} tokens, fewer than --max-length ${maxLength}. Pass --max-length ${positions} or less, or another reference`,
  );
}
