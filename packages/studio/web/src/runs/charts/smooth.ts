/** Strengths of smoothing by their names. */
export const smoothings = { none: 0, light: 0.6, medium: 0.9, strong: 0.97 } as const;
export type Smoothing = keyof typeof smoothings;

/**
 * A running mean that forgets, as TensorBoard's: the first values are not pulled towards 0.
 * @param weight of what came before, from 0 to below 1
 */
export function smooth(values: readonly number[], weight: number): number[] {
  let last = 0;
  return values.map((value, at) => {
    last = last * weight + (1 - weight) * value;
    return last / (1 - weight ** (at + 1));
  });
}
