// Low-rank adapters (Hu et al. 2021, arXiv:2106.09685) on a decoder's linear layers.
import { empty, type Tensor, withSeed, zeros } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import type { Linear, LoraPair } from '../linear.ts';
import { linearLayers } from '../loading/named-weights.ts';
import { layersOfBlocks, targetedLayers } from './target-modules.ts';

/** Size, place and start of a new adapter. */
export interface LoraOptions {
  rank: number;
  /** The change is scaled by alpha / rank. */
  alpha: number;
  /** Share of a layer's inputs to A that is dropped while training. */
  dropout?: number;
  /** Ends of module names (`q_proj`, `mlp.c_proj`), or all linear layers except the head. */
  targets: readonly string[] | 'all-linear';
  /**
   * Numbers of the layers that get an adapter, from 0 (PEFT's layers_to_transform) (default: all).
   */
  layers?: readonly number[] | null;
  /** Scale by alpha / sqrt(rank) (Kalajdzievski 2023, arXiv:2312.03732). */
  useRslora?: boolean;
  seed: number;
}

/** Factor on B A. */
export const loraScale = (alpha: number, rank: number, useRslora: boolean): number =>
  alpha / (useRslora ? Math.sqrt(rank) : rank);

/**
 * Applies a new adapter to the decoder: A is uniform in ±1/sqrt(in), as in PEFT, and B is zero, so
 * that it has no effect before training.
 * @returns its parameters by PEFT's keys, float32, requiring gradients
 * @throws RangeError for an unknown target or layer, an invalid number, or a name that is taken
 */
export function addLora(decoder: Decoder, name: string, options: LoraOptions): Map<string, Tensor> {
  const { rank, alpha, dropout = 0, targets, useRslora = false, seed } = options;
  if (!Number.isInteger(rank) || rank < 1) {
    throw new RangeError(`the adapter's rank is ${rank}, expected a whole number above 0`);
  }
  if (!Number.isFinite(alpha)) throw new RangeError(`alpha is ${alpha}, expected a number`);
  if (!(dropout >= 0 && dropout < 1)) {
    throw new RangeError(`dropout is ${dropout}, expected at least 0 and less than 1`);
  }
  refuseTakenName(decoder, name);
  const layers = targetedLayers(layersOfBlocks(decoder, options.layers ?? null), targets);
  const scale = loraScale(alpha, rank, useRslora);
  withSeed(seed, () => {
    for (const layer of layers) {
      const [out, input] = layer.weight.shape as [number, number];
      const { device } = layer.weight;
      // Drawn on the CPU, so that a seed gives the same weights on every device.
      using drawn = empty([rank, input]).uniform_(-1 / Math.sqrt(input), 1 / Math.sqrt(input));
      const a = drawn.to({ device }).keep().setRequiresGrad();
      const b = zeros([out, rank], { device }).keep().setRequiresGrad();
      layer.adapters.set(name, { a, b, scale, dropout });
    }
  });
  return adapterParameters(decoder, name);
}

/**
 * An adapter's tensors by PEFT's keys, in the order of the forward pass.
 * @throws RangeError if there is no such adapter
 */
export function adapterParameters(decoder: Decoder, name: string): Map<string, Tensor> {
  const parameters = new Map<string, Tensor>();
  for (const { layer, pair } of adaptedLayers(decoder, name)) {
    parameters.set(peftKey(layer.name, 'A'), pair.a);
    parameters.set(peftKey(layer.name, 'B'), pair.b);
  }
  return parameters;
}

/** Removes an adapter and frees it. @throws RangeError if there is no such adapter */
export function removeAdapter(decoder: Decoder, name: string): void {
  for (const { layer, pair } of adaptedLayers(decoder, name)) {
    layer.adapters.delete(name);
    pair.a.dispose();
    pair.b.dispose();
  }
}

/** The layers that an adapter applies to. @throws RangeError if there is no such adapter */
export function adaptedLayers(decoder: Decoder, name: string): { layer: Linear; pair: LoraPair }[] {
  const layers = linearLayers(decoder);
  const found = layers.flatMap((layer) => {
    const pair = layer.adapters.get(name);
    return pair === undefined ? [] : [{ layer, pair }];
  });
  if (found.length > 0) return found;
  const names = adapterNames(decoder);
  throw new RangeError(
    `there is no adapter "${name}": ${names.length === 0 ? 'this model has none' : `this model has ${names.join(', ')}`}`,
  );
}

/** Names of the adapters on any layer. */
export const adapterNames = (decoder: Decoder): string[] => [
  ...new Set(linearLayers(decoder).flatMap(({ adapters }) => [...adapters.keys()])),
];

/** @throws RangeError if an adapter has this name already, or the name stands for the base */
export function refuseTakenName(decoder: Decoder, name: string): void {
  if (name === 'reference') {
    throw new RangeError(
      'an adapter cannot be named "reference": that name stands for the base model alone',
    );
  }
  if (linearLayers(decoder).some(({ adapters }) => adapters.has(name))) {
    throw new RangeError(`an adapter named "${name}" already exists. Remove it first`);
  }
}

/** Key of an adapter's tensor in PEFT's files. */
export const peftKey = (module: string, matrix: 'A' | 'B'): string =>
  `base_model.model.${module}.lora_${matrix}.weight`;
