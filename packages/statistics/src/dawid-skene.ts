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
  let posterior = Array.from({ length: items }, (_, item) => votes(labels, item, classes));
  for (let iteration = 1; ; iteration++) {
    const prior = meanOf(posterior);
    const confusion = labels.map((one) => confusionOf(one, posterior, classes));
    let logLikelihood = 0;
    let moved = 0;
    posterior = posterior.map((before, item) => {
      const logs = prior.map((share, j) =>
        labels.reduce((sum, one, rater) => {
          const label = one[item];
          return label === null || label === undefined
            ? sum
            : sum + Math.log(confusion[rater]![j]![label]!);
        }, Math.log(share)),
      );
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

function votes(labels: LabelTable, item: number, classes: number): number[] {
  const given = labels.flatMap((one) => one[item] ?? []);
  return Array.from(
    { length: classes },
    (_, j) => given.filter((label) => label === j).length / given.length,
  );
}

/** [classes] */
const meanOf = (posterior: readonly (readonly number[])[]): number[] =>
  posterior[0]!.map((_, j) => posterior.reduce((sum, one) => sum + one[j]!, 0) / posterior.length);

/** [classes (true), classes (label)]; even where the rater labelled no item of a class. */
function confusionOf(
  labels: readonly (number | null)[],
  posterior: readonly (readonly number[])[],
  classes: number,
): number[][] {
  return Array.from({ length: classes }, (_, j) => {
    const counts = new Array<number>(classes).fill(0);
    for (const [item, label] of labels.entries())
      if (label !== null) counts[label]! += posterior[item]![j]!;
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (total === 0 ? 1 / classes : count / total));
  });
}
