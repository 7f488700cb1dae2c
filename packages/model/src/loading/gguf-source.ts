import { type DType, fromTypedArray, MappedFile, type Tensor, tidy } from '@keel/torch';
import type { DecoderConfig } from '../decoder-config.ts';
import type { GgufFile } from '../formats/gguf.ts';
import { ggufModuleNames } from './gguf-names.ts';
import { converted, sameValues } from './safetensors-source.ts';
import type { WeightSource } from './weight-source.ts';

// llama.cpp's converters reorder the rows of these families so that rotary pairs are adjacent.
export const interleaved: ReadonlySet<string> = new Set(['llama', 'smollm3']);

/** The weights of a GGUF file, dequantised and converted back to transformers' layout. */
export function openGgufSource(path: string, file: GgufFile, config: DecoderConfig): WeightSource {
  const toModule = ggufModuleNames(config);
  const fromModule = new Map([...toModule].map(([own, module]) => [module, own]));
  const rename = (name: string, by: Map<string, string>): string => {
    const dot = name.lastIndexOf('.');
    const module = by.get(name.slice(0, dot));
    return module === undefined ? name : module + name.slice(dot);
  };
  const nameInFile = (name: string): string => rename(name, fromModule);
  const permuted = interleaved.has(String(file.metadata['general.architecture']));

  const headsOf = (own: string): number | null =>
    !permuted || !/\.attn_[qk]\./.test(own)
      ? null
      : own.includes('.attn_q.')
        ? config.heads
        : config.keyValueHeads;
  let mapped: MappedFile | null = null;
  const bytes = (name: string): Tensor => {
    const own = nameInFile(name);
    const { shape, byteLength } = file.info(own);
    const position = file.position(own);
    mapped ??= new MappedFile(path, file.size);
    const whole = mapped.tensor(position, 'uint8', [byteLength]);
    const heads = headsOf(own);
    return heads === null ? whole : apart(whole.view(shape[0]!, -1), heads);
  };
  const read = (name: string, dtype: DType): Tensor => {
    const own = nameInFile(name);
    const { shape } = file.info(own);
    // Gemma's norms are stored with the 1 already added that the model would add.
    const offset = own.endsWith('_norm.weight') ? config.norm.weightOffset : 0;
    const tensor =
      dtype === 'bfloat16' && offset === 0
        ? fromTypedArray(file.readBfloat16(own), shape, { dtype: 'bfloat16' })
        : fromTypedArray(file.readFloat32(own), shape);
    if (offset !== 0) tensor.add_(-offset);
    const heads = headsOf(own);
    return converted(heads === null ? tensor : apart(tensor, heads), dtype);
  };
  return {
    path,
    transposedLinears: false,
    mapped: false,
    mappedFiles: () => (mapped === null ? [] : [path]),
    names: () => file.names().map((name) => rename(name, toModule)),
    shape: (name) => (file.has(nameInFile(name)) ? file.info(nameInFile(name)).shape : null),
    type: (name) => file.info(nameInFile(name)).type,
    nameInFile,
    equal: (name, other) => {
      using one = read(name, 'float32');
      using two = read(other, 'float32');
      return sameValues(one, two);
    },
    // These are read with the metadata (gguf-rope-scaling.ts).
    isBuffer: (name) => /^rope_(freqs|factors_(long|short))\.weight$/.test(name),
    bytes: (name) => tidy(() => bytes(name)),
    release: () => {},
    read,
    [Symbol.dispose]: () => {
      mapped?.[Symbol.dispose]();
      file.close();
    },
  };
}

/**
 * Restores the row order of each head from (0, half, 1, half + 1, …): [heads * size, …] -> the
 * same.
 */
export function apart(tensor: Tensor, heads: number): Tensor {
  const { shape } = tensor;
  const half = shape[0]! / heads / 2;
  using pairs = tensor.view(heads, half, 2, ...shape.slice(1));
  using turned = pairs.transpose(1, 2);
  using whole = turned.contiguous();
  const result = whole.view(...shape);
  tensor.dispose();
  return result;
}
