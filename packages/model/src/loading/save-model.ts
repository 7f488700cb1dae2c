import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { architectureOf } from '../families/registry.ts';
import { type TensorToWrite, writeSafetensors } from '../formats/safetensors-writer.ts';
import { countElements, storedDTypeBytes } from '../formats/stored-dtype.ts';
import { classifierArchitecture, classifierFields } from '../heads/classifier-config.ts';
import { SCORE_WEIGHT } from '../heads/score-head.ts';
import { type EndsTurns, writeGenerationConfig } from './generation-config.ts';
import { linearLayers, namedWeights } from './named-weights.ts';
import { type SavedDType, savedTypes, tensorToWrite } from './tensor-to-write.ts';
import { writeFolder, writeJson } from './write-folder.ts';

/** How a model is written. */
export interface SaveModelOptions {
  dtype: SavedDType;
  /** Bytes of weights per file. Larger models are split into several files with an index. */
  shardBytes?: number;
  /** The base's generation_config.json; see {@link writeGenerationConfig}. */
  generationConfig?: string | null;
  /** Writes a sequence classifier with this scalar head instead of the language head. */
  scoreHead?: ScoreHeadToSave | null;
  /** Called before each tensor is written, with the bytes written so far and in total. */
  onProgress?(bytesDone: number, bytesTotal: number): void;
}

/** The scalar head of a reward model. */
export interface ScoreHeadToSave {
  /** [K, hidden] */
  weight: Tensor;
  /**
   * The pad token, with which no sequence may end: `classifierPadToken`. null keeps the model's
   * own.
   */
  padTokenId: number | null;
}

/** The part of a tokenizer that is needed here. */
export interface SavesItself extends EndsTurns {
  save(folder: string, options?: { padTokenId?: number | null }): void;
}

/**
 * Writes a folder that transformers can load: config.json, generation_config.json, the weights, and
 * the tokenizer's files. Adapters are not saved: merge them first.
 */
export function saveModel(
  folder: string,
  decoder: Decoder,
  configJson: Readonly<Record<string, unknown>>,
  tokenizer: SavesItself | null,
  {
    dtype,
    shardBytes = 5e9,
    scoreHead = null,
    generationConfig = null,
    onProgress,
  }: SaveModelOptions,
): void {
  const transposed = new Set(
    decoder.config.transposedLinears
      ? linearLayers(decoder).map(({ name }) => `${name}.weight`)
      : [],
  );
  const languageHead = `${decoder.config.modules.head}.weight`;
  const tensors = [...namedWeights(decoder)]
    .filter(([name]) => scoreHead === null || name !== languageHead)
    .map(([name, weight]) => tensorToWrite(name, weight, dtype, transposed.has(name)));
  if (scoreHead !== null) tensors.push(tensorToWrite(SCORE_WEIGHT, scoreHead.weight, dtype));
  writeFolder(folder, (inside) => {
    const told = onProgress === undefined ? tensors : withProgress(tensors, onProgress);
    const written = writeWeights(inside, told, shardBytes);
    removeOtherWeights(inside, written);
    tokenizer?.save(inside, { padTokenId: scoreHead?.padTokenId ?? null });
    if (scoreHead === null) {
      writeGenerationConfig(inside, { generationConfig, configJson, tokenizer });
    }
    writeJson(join(inside, 'config.json'), {
      ...savedConfig(decoder, configJson, dtype),
      ...(scoreHead && classifierConfig(decoder, scoreHead)),
    });
  });
}

const bytesOf = ({ shape, dtype }: TensorToWrite): number =>
  Number(countElements(shape)) * storedDTypeBytes[dtype];

function withProgress(
  tensors: readonly TensorToWrite[],
  tell: (bytesDone: number, bytesTotal: number) => void,
): TensorToWrite[] {
  const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  let done = 0;
  return tensors.map((tensor) => ({
    ...tensor,
    data: () => {
      tell(done, total);
      done += bytesOf(tensor);
      return typeof tensor.data === 'function' ? tensor.data() : tensor.data;
    },
  }));
}

/** @returns the file names */
function writeWeights(folder: string, tensors: TensorToWrite[], shardBytes: number): string[] {
  const shards: TensorToWrite[][] = [];
  let filled = Number.POSITIVE_INFINITY;
  let total = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor);
    if (filled + bytes > shardBytes) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1)!.push(tensor);
    filled += bytes;
    total += bytes;
  }
  const number = (index: number): string => String(index).padStart(5, '0');
  const nameOf = (index: number): string =>
    shards.length === 1
      ? 'model.safetensors'
      : `model-${number(index + 1)}-of-${number(shards.length)}.safetensors`;
  const names = shards.map((_, index) => nameOf(index));
  shards.forEach((shard, index) => {
    writeSafetensors(join(folder, names[index]!), shard, { format: 'pt' });
  });
  if (shards.length === 1) return names;
  const index = 'model.safetensors.index.json';
  const map = shards.flatMap((shard, at) => shard.map(({ name }) => [name, names[at]!] as const));
  writeJson(join(folder, index), {
    metadata: { total_size: total },
    weight_map: Object.fromEntries(map.sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  return [...names, index];
}

/** Removes weights of an earlier save, so that they are not loaded instead of these. */
function removeOtherWeights(folder: string, written: readonly string[]): void {
  const isWeights = /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/;
  for (const name of readdirSync(folder)) {
    if (isWeights.test(name) && !written.includes(name)) rmSync(join(folder, name));
  }
}

function savedConfig(
  { config }: Decoder,
  configJson: Readonly<Record<string, unknown>>,
  dtype: SavedDType,
): Record<string, unknown> {
  return {
    ...configJson,
    architectures: [architectureOf(config.family)],
    // transformers 5 reads the first, older versions the second.
    dtype: savedTypes[dtype],
    torch_dtype: savedTypes[dtype],
    tie_word_embeddings: config.tieEmbeddings,
  };
}

const classifierConfig = ({ config }: Decoder, { weight, padTokenId }: ScoreHeadToSave) => ({
  architectures: [classifierArchitecture(config.family)],
  ...classifierFields(weight.dim(0), padTokenId),
});
