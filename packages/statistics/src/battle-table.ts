import type { LogisticData } from './logistic-data.ts';

/** A comparison of two models' answers. */
export interface Battle {
  a: string;
  b: string;
  /** 1: a won, 0: b won, 0.5: a tie; a judge's probability that a is better may be in between. */
  outcome: number;
  /** How much the battle counts (default: 1). */
  weight?: number | undefined;
  /** Battles that are not independent, such as those on one prompt, share a cluster. */
  cluster?: string | undefined;
  /** Features of the battle, positive where they favour a, [features]. */
  features?: readonly number[] | undefined;
}

/** Counts of ordered pairs of models, in the order of some names. */
export interface PairCounts {
  /** Battles of each pair, either way round, [models, models] */
  battles: number[][];
  /** Battles that the row's model won against the column's; a tie is half, [models, models] */
  wins: number[][];
}

/** Battles as columns: a million of them without features need about 30 MB. */
export class BattleTable {
  /** Models in the order of their first battle. */
  readonly names: string[] = [];
  #a = new Int32Array(64);
  #b = new Int32Array(64);
  #outcome = new Float64Array(64);
  #weight = new Float64Array(64);
  #cluster = new Int32Array(64);
  #features = new Float64Array(64);
  #length = 0;
  #featureCount = 0;
  #clusterCount = 0;
  readonly #places = new Map<string, number>();
  readonly #clusters = new Map<string, number>();

  /** @throws RangeError as {@link add} */
  static of(battles: Iterable<Battle>): BattleTable {
    const table = new BattleTable();
    for (const battle of battles) table.add(battle);
    return table;
  }

  get length(): number {
    return this.#length;
  }

  /** Features of each battle. */
  get featureCount(): number {
    return this.#featureCount;
  }

  /** @throws RangeError unless the battle is valid */
  add({ a, b, outcome, weight = 1, cluster, features = [] }: Battle): void {
    const at = this.#length;
    const where = `battle ${at} (${a} against ${b})`;
    if (a === b) throw new RangeError(`${where}: a model cannot be compared with itself`);
    if (!(outcome >= 0 && outcome <= 1))
      throw new RangeError(`${where}: expected an outcome from 0 to 1, found ${outcome}`);
    if (!(weight > 0 && Number.isFinite(weight)))
      throw new RangeError(`${where}: expected a weight above 0, found ${weight}`);
    if (at === 0) this.#featureCount = features.length;
    else if (features.length !== this.#featureCount)
      throw new RangeError(
        `${where}: expected ${this.#featureCount} features, found ${features.length}`,
      );
    const strange = features.find((value) => !Number.isFinite(value));
    if (strange !== undefined)
      throw new RangeError(`${where}: expected finite features, found ${strange}`);
    this.#grow();
    this.#a[at] = this.#place(a);
    this.#b[at] = this.#place(b);
    this.#outcome[at] = outcome;
    this.#weight[at] = weight;
    this.#cluster[at] = this.#clusterOf(cluster);
    this.#features.set(features, at * features.length);
    this.#length += 1;
  }

  /** The battles for which `keep` is true, by their place. */
  where(keep: (battle: number) => boolean): BattleTable {
    const table = new BattleTable();
    const count = this.#featureCount;
    for (let at = 0; at < this.#length; at++) {
      if (!keep(at)) continue;
      table.add({
        a: this.names[this.#a[at]!]!,
        b: this.names[this.#b[at]!]!,
        outcome: this.#outcome[at]!,
        weight: this.#weight[at]!,
        cluster: String(this.#cluster[at]!),
        features: [...this.#features.subarray(at * count, (at + 1) * count)],
      });
    }
    return table;
  }

  /** Scales each feature to mean 0 and deviation 1 over the battles; a constant one becomes 0. */
  standardiseFeatures(): void {
    const count = this.#featureCount;
    for (let feature = 0; feature < count; feature++) {
      let [sum, squares] = [0, 0];
      for (let at = 0; at < this.#length; at++) sum += this.#features[at * count + feature]!;
      const mean = sum / this.#length;
      for (let at = 0; at < this.#length; at++)
        squares += (this.#features[at * count + feature]! - mean) ** 2;
      const deviation = Math.sqrt(squares / this.#length) || 1;
      for (let at = 0; at < this.#length; at++) {
        const place = at * count + feature;
        this.#features[place] = (this.#features[place]! - mean) / deviation;
      }
    }
  }

  /** Battles and wins of each pair, [models, models] in the order of `names`. */
  pairCounts(names: readonly string[] = this.names): PairCounts {
    const places = new Map(names.map((name, place) => [name, place]));
    const placeOf = this.names.map((name) => places.get(name));
    const square = (): number[][] => names.map(() => new Array<number>(names.length).fill(0));
    const [battles, wins] = [square(), square()];
    for (let at = 0; at < this.#length; at++) {
      const [a, b] = [placeOf[this.#a[at]!], placeOf[this.#b[at]!]];
      if (a === undefined || b === undefined) continue;
      battles[a]![b]! += 1;
      battles[b]![a]! += 1;
      wins[a]![b]! += this.#outcome[at]!;
      wins[b]![a]! += 1 - this.#outcome[at]!;
    }
    return { battles, wins };
  }

  /** For each battle its models by their place in `names`, its outcome, weight and cluster. */
  columns(): {
    a: Int32Array;
    b: Int32Array;
    outcome: Float64Array;
    weight: Float64Array;
    cluster: Int32Array;
  } {
    const length = this.#length;
    return {
      a: this.#a.subarray(0, length),
      b: this.#b.subarray(0, length),
      outcome: this.#outcome.subarray(0, length),
      weight: this.#weight.subarray(0, length),
      cluster: this.#cluster.subarray(0, length),
    };
  }

  /** Rows of theta_a - theta_b + beta · x; parameters: the models in order, then the features. */
  logisticData(weights: Float64Array): LogisticData {
    const { a, b, outcome, cluster } = this.columns();
    const [rows, count, models] = [this.#length, this.#featureCount, this.names.length];
    const width = 2 + count;
    const data: LogisticData = {
      starts: Int32Array.from({ length: rows + 1 }, (_, row) => row * width),
      parameters: new Int32Array(rows * width),
      values: new Float64Array(rows * width),
      labels: outcome,
      weights,
      clusters: cluster,
    };
    for (let row = 0; row < rows; row++) {
      const start = row * width;
      data.parameters[start] = a[row]!;
      data.values[start] = 1;
      data.parameters[start + 1] = b[row]!;
      data.values[start + 1] = -1;
      for (let feature = 0; feature < count; feature++) {
        data.parameters[start + 2 + feature] = models + feature;
        data.values[start + 2 + feature] = this.#features[row * count + feature]!;
      }
    }
    return data;
  }

  #place(name: string): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.names.push(name) - 1;
    this.#places.set(name, place);
    return place;
  }

  #clusterOf(name: string | undefined): number {
    const known = name === undefined ? undefined : this.#clusters.get(name);
    if (known !== undefined) return known;
    const cluster = this.#clusterCount++;
    if (name !== undefined) this.#clusters.set(name, cluster);
    return cluster;
  }

  #grow(): void {
    const needed = this.#length + 1;
    if (needed > this.#a.length) {
      const larger = <List extends Int32Array | Float64Array>(list: List): List => {
        const grown = new (list.constructor as new (length: number) => List)(2 * list.length);
        grown.set(list);
        return grown;
      };
      this.#a = larger(this.#a);
      this.#b = larger(this.#b);
      this.#outcome = larger(this.#outcome);
      this.#weight = larger(this.#weight);
      this.#cluster = larger(this.#cluster);
    }
    if (needed * this.#featureCount > this.#features.length) {
      const grown = new Float64Array(2 * needed * this.#featureCount);
      grown.set(this.#features);
      this.#features = grown;
    }
  }
}
