/** A scale from numbers to places, with round numbers to label. */
export interface Scale {
  at(value: number): number;
  ticks: number[];
}

/**
 * A linear scale that starts and ends at round numbers.
 * @param values that must be on it; those that are not finite are ignored
 * @param places of its ends
 */
export function scaleOf(
  values: readonly number[],
  [from, to]: readonly [number, number],
  most = 6,
): Scale {
  const finite = values.filter(Number.isFinite);
  const [low, high] = finite.length === 0 ? [0, 1] : [Math.min(...finite), Math.max(...finite)];
  const reach = high > low ? high - low : Math.max(Math.abs(high), 1);
  const rough = reach / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  // Products of whole numbers and a step: sums of steps would not be round.
  const ticks = Array.from({ length: last - first + 1 }, (_, at) =>
    Number(((first + at) * step).toPrecision(12)),
  );
  const [start, end] = [ticks[0]!, ticks.at(-1)!];
  return {
    ticks,
    at: (value) => {
      const share = Math.max(0, Math.min(1, (value - start) / (end - start)));
      return Number((from + share * (to - from)).toFixed(1));
    },
  };
}
