import { noGrad, ops, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { adaptedLayers, removeAdapter } from './lora.ts';

/**
 * Adds an adapter to the weights that it applies to, and removes it: W + scale * B A in float32 or
 * wider, converted to W's type.
 * @throws RangeError if there is no such adapter, or the weights are held in blocks
 */
export function mergeAdapter(decoder: Decoder, name: string): void {
  const layers = adaptedLayers(decoder, name);
  const kept = layers.find(({ layer }) => ops.isQuantised(layer.weight));
  if (kept !== undefined) {
    throw new RangeError(
      `the weights of ${kept.layer.name} are held in blocks, which have no room for an adapter. Load the model without basePrecision`,
    );
  }
  for (const { layer, pair } of layers) {
    tidy(() =>
      noGrad(() => {
        const { weight } = layer;
        const wide = weight.dtype === 'float64' ? 'float64' : 'float32';
        const change = pair.b.to(wide).matmul(pair.a.to(wide)).mul(pair.scale); // [out, in]
        // In place, because optimisers and tied modules hold this tensor object.
        weight.copy_(weight.to(wide).add(change));
      }),
    );
  }
  removeAdapter(decoder, name);
}
