// How much a quantity changed between two measurements of the same items.
import { bootstrapInterval, type Interval } from './intervals.ts';
import { studentInterval } from './student.ts';

/** The change of a quantity on the same items, with its effect size. */
export interface PairedEffect {
  count: number;
  before: number;
  after: number;
  /** after - before */
  difference: number;
  /** Student's interval of the difference, 95% unless asked otherwise; null for a single item */
  interval: Interval | null;
  /**
   * The difference in standard deviations (d_av, Cumming 2012, equation 11.10): the root of the
   * mean of both variances. null where nothing varies on either side
   */
  size: number | null;
  /** Interval of the size, by resampling items */
  sizeInterval: Interval | null;
}

/** Enough for the ends of a 95% interval, with two digits. */
const RESAMPLES = 2000;

/**
 * @param before values of the items, and `after` of the same items in the same order
 * @param confidence of both intervals
 * @throws RangeError without items, for lists of different lengths and for values that are not
 *   finite
 */
export function pairedEffect(
  before: readonly number[],
  after: readonly number[],
  confidence = 0.95,
): PairedEffect {
  const count = before.length;
  if (count === 0) throw new RangeError('a change needs at least one item');
  if (after.length !== count) {
    throw new RangeError(`${count} values before and ${after.length} after are not pairs`);
  }
  const differences = after.map((value, at) => value - before[at]!);
  const interval = studentInterval(differences, confidence);
  const size = sizeOf(before, after, null);
  // All values of these draws are alike before, and after: nothing changed, or the unit is missing.
  const sizeWithoutSpread = ([draw]: Uint32Array): number =>
    before[draw!] === after[draw!] ? 0 : size!;
  return {
    count,
    ...{ before: mean(before), after: mean(after), difference: mean(differences), interval, size },
    sizeInterval:
      size === null || count < 2
        ? null
        : bootstrapInterval(
            count,
            (draws) => sizeOf(before, after, draws) ?? sizeWithoutSpread(draws),
            { resamples: RESAMPLES, confidence },
          ),
  };
}

/** @param draws indices of the items; null: each once */
function sizeOf(
  before: readonly number[],
  after: readonly number[],
  draws: Uint32Array | null,
): number | null {
  const [was, is] = [moments(before, draws), moments(after, draws)];
  const deviation = Math.sqrt((was.variance + is.variance) / 2);
  return deviation === 0 ? null : (is.mean - was.mean) / deviation;
}

function moments(values: readonly number[], draws: Uint32Array | null) {
  const count = draws?.length ?? values.length;
  const first = values[draws === null ? 0 : draws[0]!]!;
  let [sum, squares] = [0, 0];
  for (let at = 0; at < count; at++) {
    // Distances from one of the values: equal values have a variance of exactly 0.
    const distance = values[draws === null ? at : draws[at]!]! - first;
    sum += distance;
    squares += distance * distance;
  }
  const variance = count < 2 ? 0 : Math.max(0, squares - (sum * sum) / count) / (count - 1);
  return { mean: first + sum / count, variance };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
