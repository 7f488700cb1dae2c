import { noGrad, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { adaptedLayers, removeAdapter } from './lora.ts';

/**
 * Adds an adapter to the weights that it applies to, and removes it: W + scale * B A in float32 or
 * wider, converted to W's type.
 * @throws RangeError if there is no such adapter
 */
export function mergeAdapter(decoder: Decoder, name: string): void {
  for (const { layer, pair } of adaptedLayers(decoder, name)) {
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
