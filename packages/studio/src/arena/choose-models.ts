// Which two models meet: pairs that met least, drawn at random among them.

/**
 * @param models at least two
 * @param met by {@link pairKey}: how often two models met
 * @param random draws in [0, 1)
 * @throws RangeError for fewer than two models
 */
export function chooseModels(
  models: readonly string[],
  met: ReadonlyMap<string, number>,
  random: () => number,
): [string, string] {
  const pairs = models.flatMap((one, at) =>
    models.slice(at + 1).map((other): [string, string] => [one, other]),
  );
  if (pairs.length === 0)
    throw new RangeError('a battle needs two models, and the servers have fewer');
  // A pair that met n times is drawn with a weight of 1 / (n + 1)², so that none is certain.
  const weights = pairs.map(([one, other]) => 1 / ((met.get(pairKey(one, other)) ?? 0) + 1) ** 2);
  let place = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, weight] of weights.entries()) {
    place -= weight;
    if (place < 0) return pairs[at]!;
  }
  return pairs.at(-1)!;
}

/** The same for both orders. */
export const pairKey = (one: string, other: string): string =>
  JSON.stringify([one, other].toSorted());
