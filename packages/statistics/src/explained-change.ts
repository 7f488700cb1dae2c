// Which of several quantities explains the change of another, measured before and after on the same
// items. With y the change of an item and x_j the changes of the quantities,
//   y = a + sum_j b_j x_j + noise,   so   mean(y) = a + sum_j b_j mean(x_j):
// b_j mean(x_j) is the part of the mean change that goes with quantity j, and a is what all items
// have in common, whatever their x. Differences of items remove what is constant about an item.
import { bootstrapIntervals, type Interval } from './intervals.ts';
import { type Coefficient, fitLinear, type LinearFit, slopesOf } from './linear-regression.ts';

/** What one quantity explains of a change. */
export interface ExplainedPart {
  /** Index of the quantity. */
  quantity: number;
  coefficient: Coefficient;
  /** b_j mean(x_j): its part of the mean change */
  part: number;
  /** 95%, by resampling items */
  interval: Interval;
}

/** A change of y, and what quantities explain of it. */
export interface ExplainedChange {
  items: number;
  /** Mean change of y. */
  change: number;
  /** Quantities that explain it, the largest part first. */
  parts: ExplainedPart[];
  /** a: what comes to all items alike */
  alike: number;
  alikeInterval: Interval;
  /** Share of the variance of y between items that the quantities explain, from 0 to 1. */
  r2: number;
}

/** Which quantities may explain a change. */
export interface ExplainOptions {
  /** Level at which a quantity is taken into the model, before it is divided by their number. */
  level?: number;
  /** Items whose x differs from 0 that a quantity needs. */
  least?: number;
  resamples?: number;
}

/** Items for each quantity of the model. */
const ITEMS_EACH = 10;
const EXACT = 1 - 1e-12;

/**
 * Takes quantities into the model one by one, the most certain first, as long as their coefficient
 * differs from 0 at the level (Bonferroni). Of several that change together, one is taken.
 * @param quantities [J][N] changes x_j
 * @param changes [N] y
 * @returns null for fewer than two items
 * @throws RangeError for lists of different lengths and for values that are not finite
 */
export function explainChange(
  quantities: readonly (readonly number[])[],
  changes: readonly number[],
  { level = 0.05, least = 5, resamples = 2000 }: ExplainOptions = {},
): ExplainedChange | null {
  const items = changes.length;
  if (items < 2) return null;
  const usable = quantities.flatMap((own, index) =>
    own.filter((value) => value !== 0).length >= least ? [index] : [],
  );
  const columnsOf = (chosen: readonly number[]) => chosen.map((index) => quantities[index]!);
  const chosen: number[] = [];
  let fit: LinearFit | null = null;
  while (chosen.length < Math.min(usable.length, Math.floor(items / ITEMS_EACH))) {
    const found = usable
      .filter((index) => !chosen.includes(index))
      .flatMap((index) => {
        const next = fitLinear(columnsOf([...chosen, index]), changes);
        return next === null ? [] : [{ index, next, own: next.coefficients.at(-1)! }];
      })
      .filter(({ own }) => own.p < level / usable.length)
      .toSorted((a, b) => sureness(b.own) - sureness(a.own) || b.next.r2 - a.next.r2);
    if (found.length === 0) break;
    chosen.push(found[0]!.index);
    fit = found[0]!.next;
    // What is left is rounding.
    if (fit.r2 > EXACT) break;
  }
  const change = mean(changes);
  const slopes = fit?.coefficients ?? [];
  const partOf = (at: number): number => slopes[at]!.value * mean(quantities[chosen[at]!]!);
  const intervals = intervalsOf(columnsOf(chosen), changes, slopes, resamples);
  const parts = chosen.map(
    (quantity, at): ExplainedPart => ({
      quantity,
      coefficient: slopes[at]!,
      part: partOf(at),
      interval: intervals[at]!,
    }),
  );
  return {
    items,
    change,
    parts: parts.toSorted((a, b) => Math.abs(b.part) - Math.abs(a.part)),
    alike: change - parts.reduce((sum, { part }) => sum + part, 0),
    alikeInterval: intervals.at(-1)!,
    r2: fit?.r2 ?? 0,
  };
}

/** |t| */
const sureness = ({ value, error }: Coefficient): number =>
  error === 0 ? Number.MAX_VALUE : Math.abs(value / error);

/** Intervals of the parts, and then of what is alike: every resample is fitted again. */
function intervalsOf(
  columns: readonly (readonly number[])[],
  changes: readonly number[],
  slopes: readonly Coefficient[],
  resamples: number,
): Interval[] {
  const partsOf = (draws: Uint32Array): number[] => {
    const drawn = (values: readonly number[]): number[] =>
      Array.from(draws, (draw) => values[draw]!);
    const [xs, y] = [columns.map(drawn), drawn(changes)];
    // A resample in which a column is constant cannot be fitted: it has the slopes of all items.
    const own = (xs.length === 0 ? [] : slopesOf(xs, y)) ?? slopes.map(({ value }) => value);
    const parts = xs.map((x, at) => own[at]! * mean(x));
    return [...parts, mean(y) - parts.reduce((sum, part) => sum + part, 0)];
  };
  return bootstrapIntervals(changes.length, columns.length + 1, partsOf, { resamples });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
