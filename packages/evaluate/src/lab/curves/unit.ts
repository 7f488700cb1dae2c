/** Location and scale of a reward over the answers of the initial policy. */
export interface Unit {
  mean: number;
  deviation: number;
}

/**
 * @param name of the reward, for the message
 * @throws Error if all rewards are equal: then nothing can be optimised
 */
export function unitOf(values: readonly number[], name: string): Unit {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / values.length);
  if (!(deviation > 0)) {
    throw new Error(
      `${name} gives all ${values.length} answers of the initial policy the same reward, so it cannot be optimised. Use another one, or a higher temperature`,
    );
  }
  return { mean, deviation };
}
