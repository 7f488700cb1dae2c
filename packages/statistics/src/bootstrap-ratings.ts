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
      // Clusters are numbered in the order of their first battle.
      if (clusterCount === table.length) sample.add(cluster);
      else
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

/**
 * Weighted wins of both models of each pair. Battles with the same models, outcome and weight are
 * counted together, so that adding one is cheap.
 */
export class PairSums {
  readonly names: readonly string[];
  /** The pair of each battle. */
  readonly pairOf: Int32Array;
  /** Models of each pair, by their place in `names`. */
  readonly pairs: (readonly [a: number, b: number])[] = [];
  readonly #kindOf: Int32Array;
  readonly #kinds: { pair: number; won: number; lost: number }[] = [];
  readonly #counts: Int32Array;

  constructor(table: BattleTable, weights: Float64Array) {
    const { a, b, outcome } = table.columns();
    this.names = table.names;
    this.pairOf = pairsOf(table, this.pairs);
    const known = this.pairs.map(() => new Map<string, number>());
    this.#kindOf = this.pairOf.map((pair, battle) => {
      const share = a[battle]! < b[battle]! ? outcome[battle]! : 1 - outcome[battle]!;
      const weight = weights[battle]!;
      const key = `${share} ${weight}`;
      let kind = known[pair]!.get(key);
      if (kind === undefined) {
        kind = this.#kinds.push({ pair, won: weight * share, lost: weight * (1 - share) }) - 1;
        known[pair]!.set(key, kind);
      }
      return kind;
    });
    this.#counts = new Int32Array(this.#kinds.length);
  }

  add(battle: number): void {
    this.#counts[this.#kindOf[battle]!]! += 1;
  }

  clear(): void {
    this.#counts.fill(0);
  }

  /** Weighted wins of the first and of the second model of each pair, [pairs] each */
  wins(): { won: Float64Array; lost: Float64Array } {
    const [won, lost] = [this.pairs, this.pairs].map(({ length }) => new Float64Array(length));
    for (const [kind, one] of this.#kinds.entries()) {
      won![one.pair]! += this.#counts[kind]! * one.won;
      lost![one.pair]! += this.#counts[kind]! * one.lost;
    }
    return { won: won!, lost: lost! };
  }

  /** The models that each model beat or tied with. */
  beats(): Map<string, Set<string>> {
    const { won, lost } = this.wins();
    const beats = new Map(this.names.toSorted().map((name) => [name, new Set<string>()]));
    for (const [pair, [a, b]] of this.pairs.entries()) {
      if (won[pair]! > 0) beats.get(this.names[a]!)!.add(this.names[b]!);
      if (lost[pair]! > 0) beats.get(this.names[b]!)!.add(this.names[a]!);
    }
    return beats;
  }
}

/** The pair of each battle; fills `pairs` in the order of their first battle. */
export function pairsOf(table: BattleTable, pairs: (readonly [number, number])[]): Int32Array {
  const { a, b } = table.columns();
  const known = new Map<number, number>();
  return a.map((one, battle) => {
    const [low, high] = [Math.min(one, b[battle]!), Math.max(one, b[battle]!)];
    const key = low * table.names.length + high;
    let pair = known.get(key);
    if (pair === undefined) {
      pair = pairs.push([low, high]) - 1;
      known.set(key, pair);
    }
    return pair;
  });
}

/** A sample of battles without features, by their pairs. */
class PairSample {
  readonly #sums: PairSums;
  readonly #data: LogisticData;

  constructor(table: BattleTable, weights: Float64Array) {
    this.#sums = new PairSums(table, weights);
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
    this.#sums.add(battle);
  }

  beats(): Map<string, Set<string>> {
    return this.#sums.beats();
  }

  data(): LogisticData {
    const { won, lost } = this.#sums.wins();
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
    this.#sums = new PairSums(table, weights);
    this.#own = weights;
    this.#data = table.logisticData(new Float64Array(weights.length));
  }

  clear(): void {
    this.#sums.clear();
    this.#data.weights.fill(0);
  }

  add(battle: number): void {
    this.#sums.add(battle);
    this.#data.weights[battle]! += this.#own[battle]!;
  }

  beats(): Map<string, Set<string>> {
    return this.#sums.beats();
  }

  data(): LogisticData {
    return this.#data;
  }
}
