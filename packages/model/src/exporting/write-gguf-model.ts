import { type GgufValue, ggufBytes, writeGguf } from '../formats/gguf-writer.ts';
import type { LanguageModel } from '../language-model.ts';
import { namedWeights } from '../loading/named-weights.ts';
import { ggufArchitecture } from './gguf-architecture.ts';
import { ggufTensors } from './gguf-tensors.ts';
import { ggufTokenizer } from './gguf-tokenizer.ts';
import { fileTypeNumber, type GgufFileType, isQuantised } from './gguf-types.ts';
import { type Lineage, lineageMetadata } from './lineage.ts';

/** How a model is written. */
export interface GgufModelOptions {
  type: GgufFileType;
  lineage: Lineage;
  /** Called before each tensor is written, with the bytes written so far and in total. */
  onProgress?(bytesDone: number, bytesTotal: number): void;
}

/** A model that is ready to be written as a GGUF file. */
export interface GgufModel {
  /** Bytes of the weights. */
  bytes: number;
  /** Number of tensors by their type. */
  types: Record<string, number>;
  /** What llama.cpp computes differently, and what the file cannot say. */
  notices: string[];
  /** @throws CheckpointError if a weight is not finite; FileError if the file system refuses */
  write(path: string): void;
}

/**
 * Prepares a GGUF file of a model's base weights, in the layout of llama.cpp's converter. Adapters
 * are not included: merge them first.
 * @throws ExportError if llama.cpp has no counterpart to the model or its tokenizer
 */
export function ggufModel(
  model: LanguageModel,
  { type, lineage, onProgress }: GgufModelOptions,
): GgufModel {
  const { decoder, tokenizer, configJson } = model;
  const architecture = ggufArchitecture(decoder.config, configJson);
  const vocabulary = ggufTokenizer(tokenizer, decoder.config.vocabularySize);
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture.name }],
    ['general.type', { type: 'string', value: 'model' }],
    ...lineageMetadata(lineage, parameterCount(model)),
    ['general.file_type', { type: 'uint32', value: fileTypeNumber(type) }],
    ...(isQuantised(type)
      ? ([['general.quantization_version', { type: 'uint32', value: 2 }]] satisfies [
          string,
          GgufValue,
        ][])
      : []),
    ...architecture.fields,
    ...vocabulary.metadata,
  ]);
  const tensors = [
    ...ggufTensors(decoder, architecture.name, type),
    ...architecture.tensors.map(([name, values]) => ({
      ...{ name, type: 'F32' as const, shape: [values.length] },
      values: () => Float32Array.from(values),
    })),
  ];
  const types: Record<string, number> = {};
  for (const tensor of tensors) types[tensor.type] = (types[tensor.type] ?? 0) + 1;
  return {
    bytes: tensors.reduce((sum, tensor) => sum + ggufBytes(tensor), 0),
    types,
    notices: [...architecture.notices, ...vocabulary.notices],
    write: (path) => {
      writeGguf(path, metadata, tensors, onProgress === undefined ? {} : { onProgress });
    },
  };
}

const parameterCount = ({ decoder }: LanguageModel): number =>
  [...namedWeights(decoder).values()].reduce((sum, weight) => sum + weight.size, 0);
