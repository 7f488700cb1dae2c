// LoRA adapters as GGUF files in the form of llama.cpp's convert_lora_to_gguf.py.
import { fromTypedArray, type Tensor, tidy } from '@keel/torch';
import { adaptedLayers, refuseTakenName } from '../adapters/lora.ts';
import type { Decoder } from '../decoder.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { openGguf } from '../formats/gguf.ts';
import {
  type GgufTensorToWrite,
  type GgufValue,
  ggufBytes,
  writeGguf,
} from '../formats/gguf-writer.ts';
import type { LanguageModel } from '../language-model.ts';
import type { Linear, LoraPair } from '../linear.ts';
import { apart } from '../loading/gguf-source.ts';
import { linearLayers } from '../loading/named-weights.ts';
import { ggufArchitecture } from './gguf-architecture.ts';
import { ggufNamesByModule, rotatedHeads, together } from './gguf-tensors.ts';
import { fileTypeNumber } from './gguf-types.ts';
import { type Lineage, lineageMetadata } from './lineage.ts';
import type { GgufModel } from './write-gguf-model.ts';

/** Types of an adapter's matrices. */
export type AdapterFileType = 'f32' | 'f16' | 'bf16';

/** How an adapter is written. */
export interface AdapterGgufOptions {
  type: AdapterFileType;
  lineage: Lineage;
  /** Called before each tensor is written, with the bytes written so far and in total. */
  onProgress?(bytesDone: number, bytesTotal: number): void;
}

const tensorTypes = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;

/**
 * Prepares a GGUF file of an adapter for llama.cpp's `--lora`. The file has one alpha, so that the
 * B of layers with another scale is multiplied by the quotient.
 * @param name the adapter's name on the decoder
 * @throws ExportError if llama.cpp has no counterpart to the model; RangeError if there is no such
 *   adapter
 */
export function ggufAdapter(
  { decoder, configJson }: LanguageModel,
  name: string,
  { type, lineage, onProgress }: AdapterGgufOptions,
): GgufModel {
  const architecture = ggufArchitecture(decoder.config, configJson);
  const names = ggufNamesByModule(decoder);
  const adapted = adaptedLayers(decoder, name);
  const alpha = commonAlpha(adapted.map(({ pair }) => pair));
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture.name }],
    ['general.type', { type: 'string', value: 'adapter' }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    ['adapter.lora.alpha', { type: 'float32', value: alpha }],
    ...lineageMetadata(lineage, null),
    ['general.file_type', { type: 'uint32', value: fileTypeNumber(type) }],
  ]);
  const tensors = adapted.flatMap(({ layer, pair }): GgufTensorToWrite[] => {
    const own = `${names.get(layer.name)!}.weight`;
    const factor = (pair.scale * pair.a.dim(0)) / alpha;
    const heads = rotatedHeads(decoder, architecture.name, own);
    const b = (): Tensor => together(pair.b.detach().to({ device: 'cpu' }), heads).mul(factor);
    const a = (): Tensor => pair.a.detach().to({ device: 'cpu' });
    const matrix = (suffix: string, { shape }: Tensor, make: () => Tensor): GgufTensorToWrite => ({
      ...{ name: `${own}.${suffix}`, type: tensorTypes[type], shape },
      values: () => tidy(() => make().contiguous().toTypedArray() as Float32Array),
    });
    return [matrix('lora_a', pair.a, a), matrix('lora_b', pair.b, b)];
  });
  return {
    bytes: tensors.reduce((sum, tensor) => sum + ggufBytes(tensor), 0),
    types: { [tensorTypes[type]]: tensors.length },
    notices: architecture.notices,
    write: (path) => {
      writeGguf(path, metadata, tensors, onProgress === undefined ? {} : { onProgress });
    },
  };
}

/** Most layers' alpha, scale * rank. llama.cpp ignores an alpha of 0. */
function commonAlpha(pairs: readonly LoraPair[]): number {
  const counts = new Map<number, number>();
  for (const { a, scale } of pairs) {
    const alpha = Math.fround(scale * a.dim(0));
    counts.set(alpha, (counts.get(alpha) ?? 0) + 1);
  }
  counts.delete(0);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 1;
}

/**
 * Applies an adapter that llama.cpp or Keel wrote as a GGUF file to a decoder, without gradients.
 * @throws CheckpointError if the file is damaged or does not fit the model; RangeError if the name
 *   is taken
 */
export function loadGgufAdapter(decoder: Decoder, path: string, name: string): void {
  refuseTakenName(decoder, name);
  using file = openGguf(path);
  const fail = (message: string, tensor?: string): never => {
    throw new CheckpointError({ file: path, ...(tensor === undefined ? {} : { tensor }) }, message);
  };
  const { 'general.type': kind, 'adapter.type': type, 'adapter.lora.alpha': alpha } = file.metadata;
  if (kind !== 'adapter' || type !== 'lora') fail('is not a LoRA adapter');
  if (typeof alpha !== 'number') fail('has no metadata "adapter.lora.alpha"');
  const architecture = String(file.metadata['general.architecture']);
  const names = ggufNamesByModule(decoder);
  const left = new Set(file.names());
  const read = (tensor: string, shape: (found: number[]) => number[]): Tensor => {
    const found = file.info(tensor).shape;
    const expected = shape(found);
    if (found.join() !== expected.join()) {
      fail(`has shape [${found.join(', ')}], expected [${expected.join(', ')}]`, tensor);
    }
    left.delete(tensor);
    return fromTypedArray(file.readFloat32(tensor), found);
  };
  const pairs: [Linear, LoraPair][] = [];
  for (const layer of linearLayers(decoder)) {
    const own = `${names.get(layer.name)!}.weight`;
    if (!file.has(`${own}.lora_a`) && !file.has(`${own}.lora_b`)) continue;
    const [out, input] = layer.weight.shape as [number, number];
    const a = read(`${own}.lora_a`, ([rank = 0]) => [rank, input]);
    const rank = a.dim(0);
    const stored = read(`${own}.lora_b`, () => [out, rank]);
    const heads = rotatedHeads(decoder, architecture, own);
    const b = heads === null ? stored : apart(stored, heads);
    pairs.push([layer, { a, b, scale: Number(alpha) / rank, dropout: 0 }]);
  }
  const [stray] = left;
  if (stray !== undefined) fail('belongs to no linear layer of the model', stray);
  for (const [layer, pair] of pairs) layer.adapters.set(name, pair);
}
