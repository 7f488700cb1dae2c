// A decoder's weights as a GGUF file's tensors: llama.cpp's names, row order and norms.
import { type Tensor, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import type { GgufTensorToWrite } from '../formats/gguf-writer.ts';
import { ggufModuleNames } from '../loading/gguf-names.ts';
import { interleaved } from '../loading/gguf-source.ts';
import { namedWeights } from '../loading/named-weights.ts';
import { type GgufFileType, tensorType } from './gguf-types.ts';

/**
 * @param architecture `general.architecture`
 * @param type the file's type; the tensors' own types follow from it
 */
export function ggufTensors(
  decoder: Decoder,
  architecture: string,
  type: GgufFileType,
): GgufTensorToWrite[] {
  const { config } = decoder;
  const names = ggufNamesByModule(decoder);
  const layers = config.layers.length;
  return [...namedWeights(decoder)].map(([module, weight]) => {
    const dot = module.lastIndexOf('.');
    const name = names.get(module.slice(0, dot))! + module.slice(dot);
    const { shape } = weight;
    const place = { name, shape, layers, tied: config.tieEmbeddings };
    const values = (): Float32Array => ggufValues(decoder, architecture, name, weight);
    return { name, type: tensorType(type, place), shape, values };
  });
}

/** llama.cpp's names by transformers' module names, both without `.weight`. */
export const ggufNamesByModule = ({ config }: Decoder): Map<string, string> =>
  new Map([...ggufModuleNames(config)].map(([own, module]) => [module, own]));

function ggufValues(
  decoder: Decoder,
  architecture: string,
  name: string,
  weight: Tensor,
): Float32Array {
  return tidy(() => {
    const { config } = decoder;
    let values = weight.detach().to({ dtype: 'float32', device: 'cpu' });
    // Gemma's norms are stored with the 1 already added that the model would add.
    if (config.norm.weightOffset !== 0 && name.endsWith('_norm.weight')) {
      values = values.add(config.norm.weightOffset);
    }
    values = together(values, rotatedHeads(decoder, architecture, name));
    return values.contiguous().toTypedArray() as Float32Array;
  });
}

/** Number of heads whose rows a tensor has in interleaved order; null for all other tensors. */
export function rotatedHeads(
  { config }: Decoder,
  architecture: string,
  name: string,
): number | null {
  if (!interleaved.has(architecture) || !/\.attn_[qk]\.(weight|bias)/.test(name)) return null;
  return /\.attn_q\./.test(name) ? config.heads : config.keyValueHeads;
}

/**
 * Orders the rows of each head (0, half, 1, half + 1, …), so that rotary pairs are adjacent:
 * [heads * size, …] -> the same.
 */
export function together(tensor: Tensor, heads: number | null): Tensor {
  if (heads === null) return tensor;
  const { shape } = tensor;
  const half = shape[0]! / heads / 2;
  return tensor
    .reshape(heads, 2, half, ...shape.slice(1))
    .transpose(1, 2)
    .reshape(...shape);
}
