// Adapters made from other adapters on the same base.
import { noGrad, type Tensor, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { adaptedLayers, adapterParameters, refuseTakenName } from './lora.ts';

/**
 * Applies a frozen copy of an adapter to the same layers, without dropout.
 * @returns its tensors by PEFT's keys
 * @throws RangeError if there is no such adapter, or the new name is taken
 */
export function copyAdapter(decoder: Decoder, from: string, name: string): Map<string, Tensor> {
  refuseTakenName(decoder, name);
  for (const { layer, pair } of adaptedLayers(decoder, from)) {
    const copy = (tensor: Tensor): Tensor => tidy(() => tensor.detach().clone()).keep();
    const { a, b, scale } = pair;
    layer.adapters.set(name, { a: copy(a), b: copy(b), scale, dropout: 0 });
  }
  return adapterParameters(decoder, name);
}

/**
 * Moves an adapter towards another one with the same layers and shapes: each of its matrices
 * becomes share * from + (1 - share) * itself. A share of 1 makes an exact copy. Below 1, the
 * matrices are mixed and not the product B A, since a mixed product would have a higher rank.
 * @param share above 0, at most 1
 * @throws RangeError if an adapter is missing or the two are on different layers
 */
export function mixAdapter(decoder: Decoder, from: string, into: string, share: number): void {
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(
      `the share of the mixed adapter is ${share}, expected above 0 and at most 1`,
    );
  }
  const source = adapterParameters(decoder, from);
  const target = adapterParameters(decoder, into);
  if ([...source.keys()].join() !== [...target.keys()].join()) {
    throw new RangeError(`the adapters "${from}" and "${into}" are on different layers`);
  }
  tidy(() =>
    noGrad(() => {
      for (const [key, own] of target) {
        const other = source.get(key)!;
        own.copy_(share === 1 ? other : other.mul(share).add(own.mul(1 - share)));
      }
    }),
  );
}
