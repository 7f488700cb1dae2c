/** A row: its features x [parameters] as pairs of index and value, all others 0. */
export interface LogisticRow {
  features: readonly (readonly [parameter: number, value: number])[];
  /** Probability that the outcome is 1, from 0 to 1. */
  label: number;
  /** How much the row counts, at least 0. */
  weight: number;
  /** Rows with the same cluster are not independent; default: each row is its own. */
  cluster?: string | number | undefined;
}

/** Rows as flat arrays, so that a million of them need about 50 MB. */
export interface LogisticData {
  /** The entries of row i are those from `starts[i]` to `starts[i + 1]`, [rows + 1] */
  starts: Int32Array;
  /** Index of the parameter of each entry, [entries] */
  parameters: Int32Array;
  /** [entries] */
  values: Float64Array;
  /** [rows] */
  labels: Float64Array;
  /** [rows] */
  weights: Float64Array;
  /** Rows with the same number, from 0, are not independent, [rows] */
  clusters: Int32Array;
}

/** @throws RangeError as {@link checkData} */
export function logisticData(rows: readonly LogisticRow[]): LogisticData {
  const count = rows.reduce((sum, { features }) => sum + features.length, 0);
  const data: LogisticData = {
    starts: new Int32Array(rows.length + 1),
    parameters: new Int32Array(count),
    values: new Float64Array(count),
    labels: Float64Array.from(rows, ({ label }) => label),
    weights: Float64Array.from(rows, ({ weight }) => weight),
    clusters: new Int32Array(rows.length),
  };
  const clusters = new Map<string | number, number>();
  let [entry, clusterCount] = [0, 0];
  for (const [row, { features, cluster }] of rows.entries()) {
    for (const [parameter, value] of features) {
      data.parameters[entry] = parameter;
      data.values[entry++] = value;
    }
    data.starts[row + 1] = entry;
    const known = cluster === undefined ? undefined : clusters.get(cluster);
    data.clusters[row] = known ?? clusterCount++;
    if (cluster !== undefined) clusters.set(cluster, data.clusters[row]!);
  }
  checkData(data);
  return data;
}

/**
 * @throws RangeError without rows, for labels outside [0, 1], negative weights, and features that
 *   are not finite
 */
export function checkData({ starts, values, labels, weights }: LogisticData): void {
  if (labels.length === 0) throw new RangeError('a fit needs at least one row');
  for (let row = 0; row < labels.length; row++) {
    const [label, weight] = [labels[row]!, weights[row]!];
    if (!(label >= 0 && label <= 1))
      throw new RangeError(`row ${row}: expected a label from 0 to 1, found ${label}`);
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
      throw new RangeError(`row ${row}: expected a weight of at least 0, found ${weight}`);
    for (let entry = starts[row]!; entry < starts[row + 1]!; entry++) {
      if (!Number.isFinite(values[entry]!))
        throw new RangeError(`row ${row}: expected finite features, found ${values[entry]}`);
    }
  }
}

/** Rows sorted by cluster: those of cluster c are `order` from `starts[c]` to `starts[c + 1]`. */
export function byCluster(clusters: Int32Array): { starts: Int32Array; order: Int32Array } {
  let count = 0;
  for (const cluster of clusters) if (cluster >= count) count = cluster + 1;
  const starts = new Int32Array(count + 1);
  for (const cluster of clusters) starts[cluster + 1]! += 1;
  for (let cluster = 0; cluster < count; cluster++) starts[cluster + 1]! += starts[cluster]!;
  const next = starts.slice();
  const order = new Int32Array(clusters.length);
  for (let row = 0; row < clusters.length; row++) order[next[clusters[row]!]!++] = row;
  return { starts, order };
}
