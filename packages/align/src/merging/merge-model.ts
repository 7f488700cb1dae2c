// `keel merge`: writes a model, with an optional adapter merged into it, as a folder that
// transformers and Keel load. Then checks that the written model computes the same.
import { existsSync } from 'node:fs';
import {
  canonicalModelName,
  classifierPadToken,
  type LanguageModel,
  loadAdapter,
  loadAdapterHead,
  loadModel,
  mergeAdapter,
  namedWeights,
  otherBaseNotice,
  type Role,
  resolveModel,
  saveModel,
  writeModelOrigin,
} from '@keel/model';
import { trimMemory } from '@keel/torch';
import { runResult } from '../config/run-result.ts';
import { templateSettings } from '../config/template-options.ts';
import { hashPath } from '../data/hash-path.ts';
import { writeFolderAtomic } from '../files/atomic-write.ts';
import { readRewardRecord, writeRewardRecord } from '../rewards/reward-record.ts';
import { describeMerge } from './describe-merge.ts';
import { nameBase, refuseRecipe } from './name-base.ts';
import { checkOutput, checkSpace } from './output-model-folder.ts';
import { compareProbes, type Probe, type ProbeDifference, probeOf } from './probe.ts';

const dtypes = {
  fp32: { saved: 'F32', name: 'float32', bytes: 4 },
  bf16: { saved: 'BF16', name: 'bfloat16', bytes: 2 },
  fp16: { saved: 'F16', name: 'float16', bytes: 2 },
} as const;

export type MergeDType = keyof typeof dtypes;

/**
 * Largest mean KL divergence, in nats per token, that rounding the weights explains. A damaged file
 * or a missing adapter gives orders of magnitude more.
 */
const LARGEST_KL: Record<MergeDType, number> = { fp32: 1e-5, fp16: 1e-3, bf16: 2e-2 };

/** The same for scores of a reward model, as a share of their size. */
const LARGEST_SCORE: Record<MergeDType, number> = { fp32: 1e-3, fp16: 1e-2, bf16: 5e-2 };

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

export type MergeEvent =
  | { type: 'loading'; name: string }
  | { type: 'notice'; text: string }
  | { type: 'writing'; bytesDone: number; bytesTotal: number }
  | { type: 'checking' };

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
  const opened = await openParts(base, adapter, onEvent);
  const { model, role } = opened;
  const dtype = asked === 'auto' ? typeOf(model) : asked;
  const { saved, bytes: width } = dtypes[dtype];
  let expected: Probe;
  let bytes = 0;
  try {
    expected = probeOf(model, role);
    const weights = [...namedWeights(model.decoder).values()];
    bytes = width * weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    checkSpace(output, bytes);
    const origin = {
      base: canonicalModelName(base),
      baseSha256: await model.hash(),
      adapterSha256: adapter === null ? null : await hashPath(adapter),
      dtype: dtypes[dtype].name,
    };
    if (adapter !== null) mergeAdapter(model.decoder, role);
    let difference: ProbeDifference | undefined;
    await writeFolderAtomic(output, async (inside) => {
      saveModel(inside, model.decoder, model.configJson, model.tokenizer, {
        dtype: saved,
        generationConfig: model.generationConfig,
        scoreHead: opened.head,
        onProgress: (bytesDone, bytesTotal) => onEvent({ type: 'writing', bytesDone, bytesTotal }),
      });
      if (opened.record !== null) writeRewardRecord(inside, opened.record);
      writeModelOrigin(inside, origin);
      describeMerge(inside, { base, adapter, sha256: origin.baseSha256, reward: expected.scores });
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

interface Opened {
  model: LanguageModel;
  role: Role;
  head: Parameters<typeof saveModel>[4]['scoreHead'];
  record: ReturnType<typeof readRewardRecord>;
}

async function openParts(
  base: string,
  adapter: string | null,
  onEvent: (event: MergeEvent) => void,
): Promise<Opened> {
  const notice = (text: string): void => onEvent({ type: 'notice', text });
  const template = templateSettings({}, adapter);
  const model = await loadModel(base, {
    ...{ precision: 'fp32', device: 'cpu', classifier: true, notice },
    template: template.source === undefined ? {} : { source: template.source },
  });
  try {
    if (adapter === null) {
      const classifier = model.hasScoreHead('reference');
      const pad = model.configJson.pad_token_id;
      const record = classifier && existsSync(base) ? readRewardRecord(base) : null;
      const padTokenId = record?.pad_token_id ?? (typeof pad === 'number' ? pad : null);
      const weight = classifier ? model.scoreHead('reference') : null;
      return { model, role: 'reference', head: weight && { weight, padTokenId }, record };
    }
    const role = 'merged';
    const other = await otherBaseNotice(model, adapter);
    if (other !== null) notice(other);
    const weight = loadAdapterHead(model.decoder, adapter, { device: model.device });
    loadAdapter(model.decoder, adapter, role, { leaveHead: true });
    if (weight === null) return { model, role, head: null, record: null };
    model.addScoreHead(role, weight);
    const record = readRewardRecord(adapter);
    const padTokenId = record?.pad_token_id ?? classifierPadToken(model.tokenizer);
    return { model, role, head: { weight, padTokenId }, record };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The type of the base's files; float32 for a GGUF file, whose weights no 16-bit type holds. */
function typeOf({ configJson }: LanguageModel): MergeDType {
  const named = configJson.dtype ?? configJson.torch_dtype;
  const found = Object.entries(dtypes).find(([, { name }]) => name === named);
  return (found?.[0] as MergeDType | undefined) ?? 'fp32';
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
