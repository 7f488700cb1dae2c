// Several runs side by side: the options in which they differ, and the metrics that they have.
import { isDeepStrictEqual } from 'node:util';
import type { Columns } from '../numbers/columns.ts';
import type { RunConfig } from './config.ts';

/** An option in which runs differ. */
export interface OptionDifference {
  key: string;
  group: string | null;
  /** One for each run; null also for a run that has no such option. */
  values: unknown[];
  /** Some runs do not have it, and all others have the same value. */
  missing: boolean;
}

/** Where a run is stored says nothing about it. */
const ofPlace = new Set(['output']);

/**
 * Options that differ, in the order of the first run that has them.
 * @param configs null: a run without options
 */
export function optionDifferences(configs: readonly (RunConfig | null)[]): OptionDifference[] {
  const groups = new Map(
    configs.flatMap(
      (config) => config?.options.map(({ key, group }) => [key, group] as const) ?? [],
    ),
  );
  return [...groups].flatMap(([key, group]) => {
    if (ofPlace.has(key)) return [];
    const found = configs.map((config) => config?.options.find((one) => one.key === key));
    const values = found.map((one) => one?.value ?? null);
    const present = found.flatMap((one) => (one === undefined ? [] : [one.value]));
    const agree = present.every((value) => isDeepStrictEqual(value, present[0]));
    const missing = agree && present.length < found.length;
    return agree && !missing ? [] : [{ key, group, values, missing }];
  });
}

/** A metric of several runs, in one list of steps. */
export interface AlignedMetric {
  name: string;
  steps: number[];
  /** For each run, a value for each step; null: it has none there, or it is not finite. */
  values: (number | null)[][];
}

/** @param runs undefined: a run without the metric */
export function alignBySteps(
  name: string,
  runs: readonly ({ steps: readonly number[]; values: readonly number[] } | undefined)[],
): AlignedMetric {
  const all = new Set(runs.flatMap((run) => [...(run?.steps ?? [])]));
  const steps = [...all].sort((a, b) => a - b);
  return {
    ...{ name, steps },
    values: runs.map((run) => {
      const byStep = new Map(run?.steps.map((step, at) => [step, run.values[at]!]));
      return steps.map((step) => {
        const value = byStep.get(step);
        return value !== undefined && Number.isFinite(value) ? value : null;
      });
    }),
  };
}

/** Metrics of any of the runs, those of most runs first. */
export function metricNames(runs: readonly Columns[]): { name: string; runs: number }[] {
  const counts = new Map<string, number>();
  for (const { names } of runs) {
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .map(([name, count]) => ({ name, runs: count }))
    .sort((a, b) => b.runs - a.runs);
}
