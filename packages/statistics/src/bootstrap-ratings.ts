// Bootstrap of Bradley-Terry fits: whole clusters are drawn with replacement. Without features the
// battles of a sample are summed by pair, so that a fit costs the same for any number of them.
import type { BattleTable } from './battle-table.ts';
import { checkComparable } from './comparable.ts';
import { byCluster, type LogisticData } from './logistic-data.ts';
import { type LogisticOptions, maximumLikelihood, NoMaximumError } from './logistic-regression.ts';
import { resamplingRandom } from './resampling-random.ts';

export interface BootstrapFits {
  /** Parameters of each sample, [samples, parameters] */
  fits: number[][];
  /** Samples whose likelihood has no maximum */
  skipped: number;
}

export interface BootstrapRatingOptions {
  resamples: number;
  seed?: number;
  /** Called after each sample. */
  onSample?(done: number, total: number): void;
}

/**
 * @param size number of parameters
 * @param from where each fit starts
 * @throws NoMaximumError if no sample's likelihood has a maximum
 */
export function bootstrapFits(
  table: BattleTable,
  weights: Float64Array,
  size: number,
  options: LogisticOptions & { from: readonly number[]; comparable: boolean },
  { resamples, seed = 0, onSample }: BootstrapRatingOptions,
): BootstrapFits {
  const { comparable, ...fitting } = options;
  const groups = byCluster(table.columns().cluster);
  const random = resamplingRandom(seed);
  const sample =
    table.featureCount === 0 ? new PairSample(table, weights) : new RowSample(table, weights);
  const clusterCount = groups.starts.length - 1;
  const fits: number[][] = [];
  let skipped = 0;
  for (let done = 1; done <= resamples; done++) {
    sample.clear();
    for (let draw = 0; draw < clusterCount; draw++) {
      const cluster = Math.floor(random() * clusterCount);
      for (let at = groups.starts[cluster]!; at < groups.starts[cluster + 1]!; at++)
        sample.add(groups.order[at]!);
    }
    try {
      if (comparable) checkComparable(sample.beats());
      fits.push(maximumLikelihood(sample.data(), size, fitting));
    } catch (error) {
      if (!(error instanceof NoMaximumError)) throw error;
      skipped += 1;
    }
    onSample?.(done, resamples);
  }
  if (fits.length === 0)
    throw new NoMaximumError('the likelihood has no maximum in any bootstrap sample');
  return { fits, skipped };
}

/** Weighted wins of both models of each pair. */
export class PairSums {
  readonly names: readonly string[];
  /** The pair of each battle. */
  readonly pairOf: Int32Array;
  /** Models of each pair, by their place in `names`. */
  readonly pairs: (readonly [a: number, b: number])[] = [];
  readonly won: Float64Array;
  readonly lost: Float64Array;
  readonly #outcome: Float64Array;
  readonly #a: Int32Array;

  constructor(table: BattleTable) {
    const { a, b, outcome } = table.columns();
    this.names = table.names;
    this.#outcome = outcome;
    this.#a = a;
    const known = new Map<number, number>();
    this.pairOf = Int32Array.from(a, (one, at) => {
      const [low, high] = [Math.min(one, b[at]!), Math.max(one, b[at]!)];
      const key = low * table.names.length + high;
      let pair = known.get(key);
      if (pair === undefined) {
        pair = this.pairs.push([low, high]) - 1;
        known.set(key, pair);
      }
      return pair;
    });
    this.won = new Float64Array(this.pairs.length);
    this.lost = new Float64Array(this.pairs.length);
  }

  add(battle: number, weight: number): void {
    const pair = this.pairOf[battle]!;
    const first = this.#a[battle] === this.pairs[pair]![0];
    const outcome = this.#outcome[battle]!;
    this.won[pair]! += weight * (first ? outcome : 1 - outcome);
    this.lost[pair]! += weight * (first ? 1 - outcome : outcome);
  }

  clear(): void {
    this.won.fill(0);
    this.lost.fill(0);
  }

  /** The models that each model beat or tied with. */
  beats(): Map<string, Set<string>> {
    const beats = new Map(this.names.toSorted().map((name) => [name, new Set<string>()]));
    for (const [pair, [a, b]] of this.pairs.entries()) {
      if (this.won[pair]! > 0) beats.get(this.names[a]!)!.add(this.names[b]!);
      if (this.lost[pair]! > 0) beats.get(this.names[b]!)!.add(this.names[a]!);
    }
    return beats;
  }
}

/** A sample of battles without features, by their pairs. */
class PairSample {
  readonly #sums: PairSums;
  readonly #weights: Float64Array;
  readonly #data: LogisticData;

  constructor(table: BattleTable, weights: Float64Array) {
    this.#sums = new PairSums(table);
    this.#weights = weights;
    const { pairs } = this.#sums;
    this.#data = {
      starts: Int32Array.from({ length: pairs.length + 1 }, (_, pair) => 2 * pair),
      parameters: Int32Array.from(pairs.flat()),
      values: Float64Array.from(pairs.flatMap(() => [1, -1])),
      labels: new Float64Array(pairs.length),
      weights: new Float64Array(pairs.length),
      clusters: Int32Array.from(pairs.keys()),
    };
  }

  clear(): void {
    this.#sums.clear();
  }

  add(battle: number): void {
    this.#sums.add(battle, this.#weights[battle]!);
  }

  beats(): Map<string, Set<string>> {
    return this.#sums.beats();
  }

  data(): LogisticData {
    const { won, lost } = this.#sums;
    for (let pair = 0; pair < won.length; pair++) {
      const weight = won[pair]! + lost[pair]!;
      this.#data.weights[pair] = weight;
      this.#data.labels[pair] = weight === 0 ? 0.5 : won[pair]! / weight;
    }
    return this.#data;
  }
}

/** A sample of battles with features: each battle's weight is multiplied by its draws. */
class RowSample {
  readonly #sums: PairSums;
  readonly #own: Float64Array;
  readonly #data: LogisticData;

  constructor(table: BattleTable, weights: Float64Array) {
    this.#sums = new PairSums(table);
    this.#own = weights;
    this.#data = table.logisticData(new Float64Array(weights.length));
  }

  clear(): void {
    this.#sums.clear();
    this.#data.weights.fill(0);
  }

  add(battle: number): void {
    this.#sums.add(battle, this.#own[battle]!);
    this.#data.weights[battle]! += this.#own[battle]!;
  }

  beats(): Map<string, Set<string>> {
    return this.#sums.beats();
  }

  data(): LogisticData {
    return this.#data;
  }
}
