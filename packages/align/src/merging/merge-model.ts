// `keel merge`: writes a model, with an optional adapter merged into it, as a folder that
// transformers and Keel load. Then checks that the written model computes the same.
import { loadModel, mergeAdapter, resolveModel } from '@keel/model';
import { trimMemory } from '@keel/torch';
import { runResult } from '../config/run-result.ts';
import { writeFolderAtomic } from '../files/atomic-write.ts';
import { nameBase, refuseRecipe } from './name-base.ts';
import { openParts } from './open-parts.ts';
import { checkOutput, checkSpace } from './output-model-folder.ts';
import { compareProbes, type Probe, type ProbeDifference, probeOf } from './probe.ts';
import { fingerprints, type MergeDType, typeOf, weightBytes, writeMerged } from './write-merged.ts';

export type { MergeDType };

/**
 * Largest mean KL divergence, in nats per token, that rounding the weights explains. A damaged file
 * or a missing adapter gives orders of magnitude more.
 */
const LARGEST_KL: Record<MergeDType, number> = { fp32: 1e-5, fp16: 1e-3, bf16: 2e-2 };

/** The same for scores of a reward model, as a share of their size. */
const LARGEST_SCORE: Record<MergeDType, number> = { fp32: 1e-3, fp16: 1e-2, bf16: 5e-2 };

/** What is merged, and into which folder. */
export interface MergeOptions {
  /** The base: a folder, a GGUF file, hub:owner/name or the default model. */
  model: string;
  /** The adapter's folder, or its run's; null: the base alone. */
  adapter: string | null;
  output: string;
  /** Type of the written weights; auto: the base's own, float32 for a GGUF file. */
  dtype: MergeDType | 'auto';
  /** Replaces a model in `output`. */
  overwrite?: boolean;
  /** Writes the adapter's base alone, and names `output` as the base in the adapter's files. */
  baseOnly?: boolean;
}

/** What a merge reports while it runs. */
export type MergeEvent =
  | { type: 'loading'; name: string }
  | { type: 'notice'; text: string }
  | { type: 'writing'; bytesDone: number; bytesTotal: number }
  | { type: 'checking' };

/** What was written, and how it compares. */
export interface MergeResult {
  output: string;
  dtype: MergeDType;
  /** Bytes of the weights. */
  bytes: number;
  kind: 'language model' | 'reward model';
  /** The written folder compared with base and adapter before it was written. */
  difference: ProbeDifference;
}

/**
 * Writes the complete model in `output`, or nothing: W + scale * B A in float32, converted to
 * `dtype`. The written folder is loaded again and must compute what base and adapter compute,
 * within the rounding of `dtype`.
 * @throws CheckpointError if base or adapter is damaged, or they do not fit
 * @throws Error if `output` is not free, the disk is too small, or the written model computes
 *   something else. `output` is unchanged then
 */
export async function mergeModel(
  {
    model: name,
    adapter: given,
    output,
    dtype: asked,
    overwrite = false,
    baseOnly = false,
  }: MergeOptions,
  onEvent: (event: MergeEvent) => void = () => {},
): Promise<MergeResult> {
  const base = runResult(name);
  const named = given === null ? null : runResult(given);
  if (baseOnly && named !== null) refuseRecipe(named);
  const adapter = baseOnly ? null : named;
  const path = await resolveModel(base);
  checkOutput(output, named === null ? [path] : [path, named], overwrite);
  onEvent({ type: 'loading', name });
  const opened = await openParts(base, adapter, (text) => onEvent({ type: 'notice', text }));
  const { model, role } = opened;
  const dtype = asked === 'auto' ? typeOf(model) : asked;
  let expected: Probe;
  let bytes = 0;
  try {
    expected = probeOf(model, role);
    bytes = weightBytes(model, dtype);
    checkSpace(output, bytes);
    const made = { base, adapter, dtype, ...(await fingerprints(model, adapter)) };
    if (adapter !== null) mergeAdapter(model.decoder, role);
    let difference: ProbeDifference | undefined;
    await writeFolderAtomic(output, async (inside) => {
      writeMerged(inside, opened, made, (bytesDone, bytesTotal) =>
        onEvent({ type: 'writing', bytesDone, bytesTotal }),
      );
      model.dispose();
      trimMemory();
      onEvent({ type: 'checking' });
      difference = await verified(inside, expected, dtype);
    });
    if (baseOnly && named !== null) nameBase(named, output);
    const kind = expected.scores ? 'reward model' : 'language model';
    return { output, dtype, bytes, kind, difference: difference! };
  } finally {
    model.dispose();
    trimMemory();
  }
}

/** @throws Error if the written model computes something else */
async function verified(
  folder: string,
  expected: Probe,
  dtype: MergeDType,
): Promise<ProbeDifference> {
  const model = await loadModel(folder, { precision: 'fp32', device: 'cpu', classifier: true });
  try {
    const difference = compareProbes(expected, probeOf(model, 'reference', expected.tokens));
    const { kl, score } = difference;
    const size = expected.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const found = kl ?? score!;
    const limit = kl === null ? LARGEST_SCORE[dtype] * Math.max(1, size) : LARGEST_KL[dtype];
    // NaN is above every limit.
    if (found <= limit) return difference;
    const what = kl === null ? 'scores differ by' : 'the KL divergence per token is';
    throw new Error(
      `the written model does not compute what base and adapter compute: on a probe text, ${what} ${found.toPrecision(3)}, but rounding to ${dtype} explains at most ${limit.toPrecision(2)}. ` +
        (dtype === 'fp16'
          ? 'Weights may be too large for fp16: pass --dtype bf16'
          : 'Run it again'),
    );
  } finally {
    model.dispose();
  }
}
