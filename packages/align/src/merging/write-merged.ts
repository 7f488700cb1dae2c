// Writes the weights of an opened base, with what they were made from, as a folder for
// transformers.
import {
  canonicalModelName,
  type LanguageModel,
  namedWeights,
  saveModel,
  writeModelOrigin,
} from '@keel/model';
import { hashPath } from '../data/hash-path.ts';
import { writeRewardRecord } from '../rewards/reward-record.ts';
import { describeMerge } from './describe-merge.ts';
import type { OpenParts } from './open-parts.ts';

const dtypes = {
  fp32: { saved: 'F32', name: 'float32', bytes: 4 },
  bf16: { saved: 'BF16', name: 'bfloat16', bytes: 2 },
  fp16: { saved: 'F16', name: 'float16', bytes: 2 },
} as const;

/** Type of the weights of a written model. */
export type MergeDType = keyof typeof dtypes;

/** The type of the base's files; float32 for a GGUF file, whose weights no 16-bit type holds. */
export function typeOf({ configJson }: LanguageModel): MergeDType {
  const named = configJson.dtype ?? configJson.torch_dtype;
  const found = Object.entries(dtypes).find(([, { name }]) => name === named);
  return (found?.[0] as MergeDType | undefined) ?? 'fp32';
}

/** Bytes of the weights in a type. */
export function weightBytes({ decoder }: LanguageModel, dtype: MergeDType): number {
  const weights = [...namedWeights(decoder).values()];
  return dtypes[dtype].bytes * weights.reduce((sum, { size }) => sum + size, 0);
}

/** SHA-256 of the files of base and adapter. */
export async function fingerprints(
  model: LanguageModel,
  adapter: string | null,
): Promise<{ baseSha256: string; adapterSha256: string | null }> {
  return {
    baseSha256: await model.hash(),
    adapterSha256: adapter === null ? null : await hashPath(adapter),
  };
}

export interface MergedFrom {
  base: string;
  /** The adapter that was merged into the weights; null if they are the base's own. */
  adapter: string | null;
  dtype: MergeDType;
  baseSha256: string;
  adapterSha256: string | null;
}

/** The model's adapters are not written: merge them first. */
export function writeMerged(
  folder: string,
  { model, head = null, record }: Pick<OpenParts, 'model' | 'head' | 'record'>,
  { base, adapter, dtype, baseSha256, adapterSha256 }: MergedFrom,
  onProgress: (bytesDone: number, bytesTotal: number) => void,
): void {
  const { saved, name } = dtypes[dtype];
  saveModel(folder, model.decoder, model.configJson, model.tokenizer, {
    ...{ dtype: saved, generationConfig: model.generationConfig, scoreHead: head, onProgress },
  });
  if (record !== null) writeRewardRecord(folder, record);
  writeModelOrigin(folder, {
    ...{ base: canonicalModelName(base), baseSha256, adapterSha256, dtype: name },
  });
  describeMerge(folder, { base, adapter, sha256: baseSha256, reward: head !== null });
}
