import { type DType, fromBytes, type Tensor } from '@keel/torch';
import type { DecoderConfig } from '../decoder-config.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import type { StoredDType } from '../formats/stored-dtype.ts';
import type { WeightSource } from './weight-source.ts';

const floats: Partial<Record<StoredDType, DType>> = {
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
};

/**
 * The weights of a folder as transformers saves it.
 * @throws CheckpointError where the files are damaged
 */
export function openSafetensorsSource(folder: string, config: DecoderConfig): WeightSource {
  const file = openSafetensors(folder);
  const { modules } = config;
  // Checkpoints of the bare model (GPT-2's own) lack the name under which the language model holds it.
  const prefix = modules.embedding.slice(0, modules.embedding.indexOf('.') + 1);
  const bareEmbedding = `${modules.embedding.slice(prefix.length)}.weight`;
  const bare = !file.has(`${modules.embedding}.weight`) && file.has(bareEmbedding);
  const isHead = (name: string): boolean => name === `${modules.head}.weight`;
  const nameInFile = (name: string): string =>
    bare && name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return {
    path: folder,
    transposedLinears: config.transposedLinears,
    names: () => file.names().map((name) => (bare && !isHead(name) ? prefix + name : name)),
    shape: (name) => (file.has(nameInFile(name)) ? file.info(nameInFile(name)).shape : null),
    nameInFile,
    read: (name, dtype) => {
      const stored = nameInFile(name);
      const info = file.info(stored);
      const type = floatTypeOf(folder, stored, info.dtype);
      return converted(fromBytes(file.read(stored), type, info.shape), dtype);
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/** The element type of stored weights. @throws CheckpointError where they are not floating point */
export function floatTypeOf(file: string, tensor: string, stored: StoredDType): DType {
  const type = floats[stored];
  if (type !== undefined) return type;
  throw new CheckpointError(
    { file, tensor },
    `is stored as ${stored}; Keel reads ${Object.keys(floats).join(', ')}, and quantised weights as GGUF`,
  );
}

/** In another type; the first is freed. */
export function converted(tensor: Tensor, dtype: DType): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const result = tensor.to(dtype);
  tensor.dispose();
  return result;
}
