// Estimates the items' classes and each rater's reliability from the labels alone. The method is
// expectation maximisation of Dawid and Skene 1979, started from the shares of the votes, without
// priors.

/** Labels by rater and item: a class from 0 to classes - 1, or null. [raters, items] */
export type LabelTable = readonly (readonly (number | null)[])[];

/** What the model of Dawid and Skene finds in labels. */
export interface DawidSkene {
  /** Share of each class, [classes] */
  prior: number[];
  /** P(class of an item | all labels), [items, classes] */
  posterior: number[][];
  /** P(a rater's label | the true class), [raters, classes (true), classes (label)] */
  confusion: number[][][];
  /** Of all labels, in nats */
  logLikelihood: number;
  iterations: number;
}

/**
 * @param classes number of classes
 * @param how.tolerance largest change of a posterior probability at which it stops
 * @throws RangeError for an item without labels, a label out of range, and lists of different
 *   lengths
 */
export function dawidSkene(
  labels: LabelTable,
  classes: number,
  { tolerance = 1e-10, maxIterations = 10_000 } = {},
): DawidSkene {
  const items = check(labels, classes);
  // Most raters label few items: each has a list of its labels, and each item too.
  const given = labels.map((one) => givenLabels(one));
  const byItem: [rater: number, label: number][][] = Array.from({ length: items }, () => []);
  for (const [rater, own] of given.entries())
    for (const [item, label] of own) byItem[item]!.push([rater, label]);
  let posterior = byItem.map((own) => votes(own, classes));
  for (let iteration = 1; ; iteration++) {
    const prior = meanOf(posterior);
    const confusion = given.map((own) => confusionOf(own, posterior, classes));
    const logPrior = prior.map(Math.log);
    const logConfusion = confusion.map((one) => one.map((row) => row.map(Math.log)));
    let logLikelihood = 0;
    let moved = 0;
    posterior = posterior.map((before, item) => {
      const logs = logPrior.map((start, j) => {
        let sum = start;
        for (const [rater, label] of byItem[item]!) sum += logConfusion[rater]![j]![label]!;
        return sum;
      });
      const highest = Math.max(...logs);
      const weights = logs.map((log) => Math.exp(log - highest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      logLikelihood += highest + Math.log(total);
      return weights.map((weight, j) => {
        moved = Math.max(moved, Math.abs(weight / total - before[j]!));
        return weight / total;
      });
    });
    if (moved <= tolerance || iteration === maxIterations)
      return { prior, posterior, confusion, logLikelihood, iterations: iteration };
  }
}

/** The labels that a rater gave. */
const givenLabels = (labels: readonly (number | null)[]): [item: number, label: number][] =>
  labels.flatMap((label, item) => (label === null ? [] : [[item, label]]));

function check(labels: LabelTable, classes: number): number {
  const items = labels[0]?.length ?? 0;
  if (items === 0) throw new RangeError('expected labels of at least one item');
  for (const [rater, one] of labels.entries()) {
    if (one.length !== items)
      throw new RangeError(`rater ${rater}: expected ${items} labels, found ${one.length}`);
    for (const [item, label] of one.entries()) {
      if (label === null) continue;
      if (!(Number.isInteger(label) && label >= 0 && label < classes))
        throw new RangeError(
          `rater ${rater}, item ${item}: expected a class from 0 to ${classes - 1}, found ${label}`,
        );
    }
  }
  for (let item = 0; item < items; item++)
    if (labels.every((one) => one[item] === null))
      throw new RangeError(`item ${item} has no label. Exclude it`);
  return items;
}

function votes(own: readonly (readonly [rater: number, label: number])[], classes: number) {
  const counts = new Array<number>(classes).fill(0);
  for (const [, label] of own) counts[label]! += 1;
  return counts.map((count) => count / own.length);
}

/** [classes] */
const meanOf = (posterior: readonly (readonly number[])[]): number[] =>
  posterior[0]!.map((_, j) => posterior.reduce((sum, one) => sum + one[j]!, 0) / posterior.length);

/** [classes (true), classes (label)]; even where the rater labelled no item of a class. */
function confusionOf(
  own: readonly (readonly [item: number, label: number])[],
  posterior: readonly (readonly number[])[],
  classes: number,
): number[][] {
  return Array.from({ length: classes }, (_, j) => {
    const counts = new Array<number>(classes).fill(0);
    for (const [item, label] of own) counts[label]! += posterior[item]![j]!;
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (total === 0 ? 1 / classes : count / total));
  });
}
