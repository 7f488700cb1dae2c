import { noGrad, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { adaptedLayers, removeAdapter } from './lora.ts';

/**
 * Adds an adapter to the weights it lies over and removes it: W + scale * B A in float32 (or
 * wider), then W's own type.
 * @throws RangeError where there is no such adapter
 */
export function mergeAdapter(decoder: Decoder, name: string): void {
  for (const { layer, pair } of adaptedLayers(decoder, name)) {
    tidy(() =>
      noGrad(() => {
        const { weight } = layer;
        const wide = weight.dtype === 'float64' ? 'float64' : 'float32';
        const change = pair.b.to(wide).matmul(pair.a.to(wide)).mul(pair.scale); // [out, in]
        // In place: optimisers and tied modules hold this very tensor.
        weight.copy_(weight.to(wide).add(change));
      }),
    );
  }
  removeAdapter(decoder, name);
}
