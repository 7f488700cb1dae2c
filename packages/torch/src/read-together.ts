import { noGrad } from './autograd.ts';
import { cat } from './create.ts';
import { tidy } from './scope.ts';
import type { Tensor } from './tensor.ts';

/** The numbers of tensors by their names; what is absent stays so. */
type Read<Tensors> = {
  [Name in keyof Tensors]: number[] | Exclude<Tensors[Name], Tensor>;
};

/**
 * The elements of several tensors on one device, row-major, by the same names. An accelerator is
 * waited for once, where reading one after the other waits for each. Names without a tensor stay
 * null or undefined.
 */
export function readTogether<Tensors extends Readonly<Record<string, Tensor | null | undefined>>>(
  tensors: Tensors,
): Read<Tensors> {
  const present = Object.values(tensors).filter((one) => one != null);
  // All types but int64 above 2^53 are exact in float64.
  const all = tidy(() =>
    noGrad(() =>
      present.length === 0
        ? []
        : cat(present.map((one) => one.detach().reshape(-1).to('float64'))).toArray(),
    ),
  );
  let start = 0;
  const read = Object.entries(tensors).map(([name, one]) => {
    if (one == null) return [name, one];
    const part = all.slice(start, start + one.size);
    start += part.length;
    return [name, part];
  });
  return Object.fromEntries(read) as Read<Tensors>;
}
