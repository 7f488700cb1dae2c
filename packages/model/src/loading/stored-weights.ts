import type { WeightSource } from './weight-source.ts';

/** How the files of a model store its weights. */
export interface StoredWeights {
  container: 'GGUF' | 'safetensors';
  /** The type of most elements, by the container's own name: `Q4_1`, `BF16`. */
  type: string;
  /** Whether that type is quantised: loading dequantises it. */
  quantised: boolean;
}

const floats: readonly string[] = ['F16', 'BF16', 'F32', 'F64'];

export function storedWeights(
  source: WeightSource,
  container: StoredWeights['container'],
): StoredWeights {
  const elements = new Map<string, number>();
  for (const name of source.names()) {
    const size = source.shape(name)!.reduce((product, one) => product * one, 1);
    const type = source.type(name);
    elements.set(type, (elements.get(type) ?? 0) + size);
  }
  const [[type] = ['F32']] = [...elements].sort(([, a], [, b]) => b - a);
  return { container, type, quantised: !floats.includes(type) };
}
