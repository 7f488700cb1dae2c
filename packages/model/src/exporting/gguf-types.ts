// The types of a whole GGUF file, and the type of each of its tensors: as llama.cpp's quantisation
// without an importance matrix chooses them (src/llama-quant.cpp).
import { ggmlTypeNamed, type WrittenTypeName } from '../formats/ggml-types.ts';

interface FileType {
  /** `general.file_type`: llama.cpp's `enum llama_ftype`. */
  number: number;
  /** The type of most matrices. */
  tensors: WrittenTypeName;
}

const fileTypes = {
  f32: { number: 0, tensors: 'F32' },
  f16: { number: 1, tensors: 'F16' },
  bf16: { number: 32, tensors: 'BF16' },
  q8_0: { number: 7, tensors: 'Q8_0' },
  q6_k: { number: 18, tensors: 'Q6_K' },
  q5_k_m: { number: 17, tensors: 'Q5_K' },
  q5_k_s: { number: 16, tensors: 'Q5_K' },
  q5_1: { number: 9, tensors: 'Q5_1' },
  q5_0: { number: 8, tensors: 'Q5_0' },
  q4_k_m: { number: 15, tensors: 'Q4_K' },
  q4_k_s: { number: 14, tensors: 'Q4_K' },
  q4_1: { number: 3, tensors: 'Q4_1' },
  q4_0: { number: 2, tensors: 'Q4_0' },
} as const satisfies Record<string, FileType>;

/** A type of GGUF file that Keel writes. */
export type GgufFileType = keyof typeof fileTypes;

/** All types of GGUF files that Keel writes, from large to small. */
export const ggufFileTypes = Object.keys(fileTypes) as GgufFileType[];

export const fileTypeNumber = (type: GgufFileType): number => fileTypes[type].number;

export const isQuantised = (type: GgufFileType): boolean => !['f32', 'f16', 'bf16'].includes(type);

export interface TensorPlace {
  /** Its name in the file. */
  name: string;
  /** Row-major, outermost first. */
  shape: readonly number[];
  /** Number of layers of the model. */
  layers: number;
  /** The embedding is the output head too. */
  tied: boolean;
}

/** Vectors and learned positions stay in F32. */
export function tensorType(file: GgufFileType, place: TensorPlace): WrittenTypeName {
  const { name, shape } = place;
  if (shape.length < 2 || name === 'position_embd.weight') return 'F32';
  const { tensors } = fileTypes[file];
  return isQuantised(file) ? fitting(wanted(file, tensors, place), shape.at(-1)!) : tensors;
}

function wanted(file: GgufFileType, usual: WrittenTypeName, place: TensorPlace): WrittenTypeName {
  const { name, shape, layers, tied } = place;
  if (name === 'output.weight' || (tied && name === 'token_embd.weight')) {
    const fits = shape.at(-1)! % ggmlTypeNamed(usual).blockElements === 0;
    return usual === 'Q8_0' || !fits ? 'Q8_0' : 'Q6_K';
  }
  const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0);
  const eighth = Math.floor(layers / 8);
  const isValue = /\.attn_(v|qkv)\.weight$/.test(name);
  if (!isValue && !name.endsWith('.ffn_down.weight')) return usual;
  if (file === 'q4_k_s') return layer < (isValue ? 4 : eighth) ? 'Q5_K' : usual;
  const isSensitive =
    layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
  return (file === 'q4_k_m' || file === 'q5_k_m') && isSensitive ? 'Q6_K' : usual;
}

const smaller: Partial<Record<WrittenTypeName, WrittenTypeName>> = {
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
};

/** Rows that are not whole blocks get a type of similar size with smaller blocks. */
function fitting(type: WrittenTypeName, columns: number): WrittenTypeName {
  const fits = (one: WrittenTypeName): boolean => columns % ggmlTypeNamed(one).blockElements === 0;
  if (fits(type)) return type;
  const other = smaller[type];
  return other !== undefined && fits(other) ? other : 'F16';
}
