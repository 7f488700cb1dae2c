// Lines with their own steps as one table, which is what uPlot draws.

/** Points of a line. */
export interface LinePoints {
  steps: readonly number[];
  values: readonly number[];
}

/** Steps of all lines, and for each line a value or null at each step. */
export function join(lines: readonly LinePoints[]): [number[], ...(number | null)[][]] {
  const steps = [...new Set(lines.flatMap((line) => line.steps))].sort((a, b) => a - b);
  const place = new Map(steps.map((step, at) => [step, at]));
  const columns = lines.map((line) => {
    const column: (number | null)[] = Array.from(steps, () => null);
    line.steps.forEach((step, at) => {
      column[place.get(step)!] = line.values[at]!;
    });
    return column;
  });
  return [steps, ...columns];
}
