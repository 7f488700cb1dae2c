// Adapters made of other adapters on the same base.
import { noGrad, type Tensor, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { adaptedLayers, adapterParameters, refuseTakenName } from './lora.ts';

/**
 * Lays a frozen copy of an adapter over the same layers, without dropout.
 * @returns its tensors by PEFT's keys
 * @throws RangeError where there is no such adapter, or the name is taken
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
 * Moves an adapter towards another of the same layers and shapes: each of its matrices becomes
 * share * from + (1 - share) * itself. A share of 1 is an exact copy. Below 1 the product B A is
 * not mixed itself, since that would have a higher rank.
 * @param share above 0, at most 1
 * @throws RangeError where an adapter is missing or they do not lie over the same layers
 */
export function mixAdapter(decoder: Decoder, from: string, into: string, share: number): void {
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(`the share of an adapter is ${share}, expected above 0 and at most 1`);
  }
  const source = adapterParameters(decoder, from);
  const target = adapterParameters(decoder, into);
  if ([...source.keys()].join() !== [...target.keys()].join()) {
    throw new RangeError(`the adapters "${from}" and "${into}" lie over different layers`);
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
