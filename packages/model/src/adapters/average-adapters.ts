import { cat, noGrad, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { adaptedLayers, refuseTakenName } from './lora.ts';

/**
 * Adds the mean of several adapters as one more adapter, which is exact: with M adapters, sum_m s_m
 * B_m A_m / M = [s_1 B_1 / M, ...] [A_1; ...], of the sum of their ranks. A layer that an adapter
 * leaves alone counts as unchanged by it.
 * @param names of two or more adapters of the decoder
 * @throws RangeError if there is none of a name, if a name is given twice, or `as` is taken
 */
export function averageAdapters(decoder: Decoder, names: readonly string[], as: string): void {
  refuseTakenName(decoder, as);
  if (names.length < 2 || new Set(names).size < names.length) {
    throw new RangeError(`a mean of adapters needs two or more, found ${names.join(', ')}`);
  }
  const members = names.map((name) => adaptedLayers(decoder, name));
  const layers = new Set(members.flatMap((own) => own.map(({ layer }) => layer)));
  for (const layer of layers) {
    const pairs = names.flatMap((name) => layer.adapters.get(name) ?? []);
    const [a, b] = noGrad(() => {
      const down = tidy(() => cat(pairs.map((pair) => pair.a.detach()))); // [sum of ranks, in]
      const up = tidy(() =>
        cat(
          pairs.map((pair) => pair.b.detach().mul(pair.scale / names.length)),
          1,
        ),
      ); // [out, sum of ranks]
      return [down.keep(), up.keep()];
    });
    layer.adapters.set(as, { a, b, scale: 1, dropout: 0 });
  }
}
