import { type DType, dtypeBytes, fromBytes, MappedFile, type Tensor, tidy } from '@keel/torch';
import type { DecoderConfig } from '../decoder-config.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { openSafetensors, type TensorFile } from '../formats/safetensors.ts';
import type { StoredDType } from '../formats/stored-dtype.ts';
import type { WeightSource } from './weight-source.ts';

const floats: Partial<Record<StoredDType, DType>> = {
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
};

// Older versions of transformers saved these beside the weights, and newer ones ignore them:
// frequencies that follow from config.json, and GPT-2's causal masks.
const buffers =
  /^(model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq|model\.rotary_emb\.inv_freq|transformer\.h\.\d+\.attn\.(bias|masked_bias))$/;

/**
 * The weights of a folder saved by transformers, or of one file. They are mapped: tensors that are
 * aligned and already have the wanted type are not copied.
 * @throws CheckpointError if the files are damaged
 */
export function openSafetensorsSource(
  folder: string,
  config: DecoderConfig,
  { transposedLinears = config.transposedLinears } = {},
): WeightSource {
  const file = openSafetensors(folder);
  const mappings = new Mappings(file);
  const inUse = new Set<string>();
  const { modules } = config;
  // Checkpoints of the bare model (GPT-2's own) lack the prefix that its name has in the language
  // model.
  const prefix = modules.embedding.slice(0, modules.embedding.indexOf('.') + 1);
  const bareEmbedding = `${modules.embedding.slice(prefix.length)}.weight`;
  const bare = !file.has(`${modules.embedding}.weight`) && file.has(bareEmbedding);
  const isHead = (name: string): boolean => name === `${modules.head}.weight`;
  const nameInFile = (name: string): string =>
    bare && name.startsWith(prefix) ? name.slice(prefix.length) : name;
  const read = (name: string, dtype: DType): Tensor => {
    const stored = nameInFile(name);
    const info = file.info(stored);
    const type = floatTypeOf(folder, stored, info.dtype);
    const view = mappings.view(stored, type, info.shape);
    if (view === null) return converted(fromBytes(file.read(stored), type, info.shape), dtype);
    if (type === dtype && view.aligned) inUse.add(file.place(stored).path);
    if (type !== dtype || view.aligned) return converted(view.tensor, dtype);
    using unaligned = view.tensor;
    return unaligned.clone();
  };
  return {
    path: folder,
    transposedLinears,
    mapped: true,
    mappedFiles: () => [...inUse],
    names: () => file.names().map((name) => (bare && !isHead(name) ? prefix + name : name)),
    shape: (name) => (file.has(nameInFile(name)) ? file.info(nameInFile(name)).shape : null),
    type: (name) => file.info(nameInFile(name)).dtype,
    nameInFile,
    equal: (name, other) => {
      // Compared in their stored type: converted copies of large embeddings would take much memory.
      const typeOf = (one: string): DType =>
        floatTypeOf(folder, nameInFile(one), file.info(nameInFile(one)).dtype);
      const type = typeOf(name) === typeOf(other) ? typeOf(name) : 'float64';
      using one = read(name, type);
      using two = read(other, type);
      return sameValues(one, two);
    },
    isBuffer: (name) => buffers.test(name),
    bytes: (name) => {
      const stored = nameInFile(name);
      const { dtype, byteLength } = file.info(stored);
      floatTypeOf(folder, stored, dtype);
      const view = mappings.view(stored, 'uint8', [byteLength]);
      if (view !== null) inUse.add(file.place(stored).path);
      return view?.tensor ?? null;
    },
    release: (name) => mappings.drop(nameInFile(name)),
    read,
    [Symbol.dispose]: () => {
      mappings[Symbol.dispose]();
      file.close();
    },
  };
}

/** A checkpoint's files in memory. Each is mapped when one of its tensors is first read. */
class Mappings implements Disposable {
  readonly #file: TensorFile;
  readonly #mapped = new Map<string, MappedFile>();

  constructor(file: TensorFile) {
    this.#file = file;
  }

  /**
   * A tensor without a copy; null if it is empty or its position is not a multiple of its element's
   * size.
   */
  view(
    name: string,
    type: DType,
    shape: readonly number[],
  ): { tensor: Tensor; aligned: boolean } | null {
    const { path, fileSize, position } = this.#file.place(name);
    if (shape.includes(0) || position % dtypeBytes(type) !== 0) return null;
    let mapped = this.#mapped.get(path);
    if (mapped === undefined) {
      mapped = new MappedFile(path, fileSize);
      this.#mapped.set(path, mapped);
    }
    return {
      tensor: mapped.tensor(position, type, shape),
      aligned: MappedFile.isAligned(position),
    };
  }

  /** Drops the pages of a tensor. */
  drop(name: string): void {
    const { path, position } = this.#file.place(name);
    this.#mapped.get(path)?.drop(position, this.#file.info(name).byteLength);
  }

  [Symbol.dispose](): void {
    for (const one of this.#mapped.values()) one[Symbol.dispose]();
    this.#mapped.clear();
  }
}

/** The element type of stored weights. @throws CheckpointError if they are not floating point */
export function floatTypeOf(file: string, tensor: string, stored: StoredDType): DType {
  const type = floats[stored];
  if (type !== undefined) return type;
  throw new CheckpointError(
    { file, tensor },
    `is stored as ${stored}; Keel reads ${Object.keys(floats).join(', ')}, and quantised weights as GGUF`,
  );
}

/** Whether two tensors have the same shape and values. */
export const sameValues = (one: Tensor, other: Tensor): boolean =>
  one.shape.join() === other.shape.join() && tidy(() => one.eq(other).all());

/** Converts a tensor to another type, and frees the original. */
export function converted(tensor: Tensor, dtype: DType): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const result = tensor.to(dtype);
  tensor.dispose();
  return result;
}
