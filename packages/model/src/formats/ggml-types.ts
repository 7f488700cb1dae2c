/** The GGUF tensor types that Keel reads, by their number in the file: ggml's `enum ggml_type`. */
export const ggmlTypes = {
  0: { name: 'F32', blockElements: 1, blockBytes: 4 },
  1: { name: 'F16', blockElements: 1, blockBytes: 2 },
  2: { name: 'Q4_0', blockElements: 32, blockBytes: 18 },
  3: { name: 'Q4_1', blockElements: 32, blockBytes: 20 },
  6: { name: 'Q5_0', blockElements: 32, blockBytes: 22 },
  7: { name: 'Q5_1', blockElements: 32, blockBytes: 24 },
  8: { name: 'Q8_0', blockElements: 32, blockBytes: 34 },
  10: { name: 'Q2_K', blockElements: 256, blockBytes: 84 },
  11: { name: 'Q3_K', blockElements: 256, blockBytes: 110 },
  12: { name: 'Q4_K', blockElements: 256, blockBytes: 144 },
  13: { name: 'Q5_K', blockElements: 256, blockBytes: 176 },
  14: { name: 'Q6_K', blockElements: 256, blockBytes: 210 },
  20: { name: 'IQ4_NL', blockElements: 32, blockBytes: 18 },
  23: { name: 'IQ4_XS', blockElements: 256, blockBytes: 136 },
  30: { name: 'BF16', blockElements: 1, blockBytes: 2 },
} as const;

export type GgmlTypeName = (typeof ggmlTypes)[keyof typeof ggmlTypes]['name'];

/** The types that Keel reads, but does not write. */
type ReadOnlyType = 'Q2_K' | 'Q3_K' | 'IQ4_NL' | 'IQ4_XS';

export type WrittenTypeName = Exclude<GgmlTypeName, ReadOnlyType>;

export interface GgmlType {
  name: GgmlTypeName;
  /** Elements in one block. */
  blockElements: number;
  /** Bytes in one block. */
  blockBytes: number;
}

// Listed only so that an error can name the type.
const unreadTypes: Record<number, string> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** A type and its number in a file, by its name. */
export const ggmlTypeNamed = (name: GgmlTypeName): GgmlType & { number: number } => {
  const [number, type] = Object.entries(ggmlTypes).find(([, one]) => one.name === name)!;
  return { ...type, number: Number(number) };
};

/** The type with this number, or a sentence saying why it cannot be read. */
export const ggmlType = (number: number): GgmlType | string => {
  const type = (ggmlTypes as Record<number, GgmlType>)[number];
  if (type) return type;
  const readable = Object.values(ggmlTypes)
    .map(({ name }) => name)
    .join(', ');
  const name = unreadTypes[number];
  return name
    ? `is stored as ${name}, which Keel does not read; it reads ${readable}`
    : `has the unknown type ${number}; Keel reads ${readable}`;
};
