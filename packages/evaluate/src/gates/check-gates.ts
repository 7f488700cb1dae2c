// Whether entries meet their gates, and by how much they miss them.
import type { Interval } from '@keel/statistics';
import { differencesOf } from '../comparing/compare-entries.ts';
import type { TaskResult } from '../comparing/task-result.ts';
import { estimateOf, metricId } from '../tasks/metrics.ts';
import type { GateSpec } from './read-gates.ts';

/** Whether a model passed a gate. */
export interface GateResult {
  gate: GateSpec;
  entry: string;
  passed: boolean;
  /** The metric, or its difference from the baseline; null if no row has it. */
  measured: number | null;
  /** The number that decides: the measured one, or the worse end of its interval. */
  bound: number | null;
  /** How much is missing; 0 if it passed, null if nothing was measured. */
  short_by: number | null;
}

interface GatedEntry {
  entry: { name: string };
  results: readonly TaskResult[];
}

/** The first entry is the baseline. */
export function checkGates(
  gates: readonly GateSpec[],
  entries: readonly GatedEntry[],
): GateResult[] {
  const [baseline, ...others] = entries;
  const usual = others.length > 0 ? others : entries;
  return gates.flatMap((gate) => {
    const named = gate.written.entry;
    const own = named === undefined ? usual : entries.filter(({ entry }) => entry.name === named);
    return own.map((one) => checkGate(gate, one, baseline!));
  });
}

function checkGate(gate: GateSpec, one: GatedEntry, baseline: GatedEntry): GateResult {
  const { condition, decidedBy, metric } = gate;
  const entry = one.entry.name;
  const compares = condition === 'no_worse_than' || condition === 'better_by';
  const found = compares ? difference(gate, baseline, one) : level(gate, one);
  if (found === null) {
    return { gate, entry, passed: false, measured: null, bound: null, short_by: null };
  }
  const { value, interval } = found;
  // For a difference, better is up or down as the metric has it; a ceiling is met from below.
  const upwards = compares ? metric.higherIsBetter : condition === 'at_least';
  const bound = decidedBy === 'value' ? value : upwards ? interval[0] : interval[1];
  const needed = condition === 'no_worse_than' ? -gate.bound : gate.bound;
  const lead = compares
    ? (upwards ? bound : -bound) - needed
    : upwards
      ? bound - needed
      : needed - bound;
  const passed = lead >= 0;
  return { gate, entry, passed, measured: value, bound, short_by: passed ? 0 : -lead };
}

interface Measured {
  value: number;
  interval: Interval;
}

function difference(gate: GateSpec, before: GatedEntry, after: GatedEntry): Measured | null {
  const own = (results: readonly TaskResult[]): TaskResult[] =>
    results
      .filter(({ task }) => task.name === gate.task)
      .map((result) => ({ ...result, task: { ...result.task, metrics: [gate.metric] } }));
  const [found] = differencesOf(own(before.results), own(after.results), gate.written.confidence);
  return found ?? null;
}

function level({ task, metric, written }: GateSpec, { results }: GatedEntry): Measured | null {
  const result = results.find((one) => one.task.name === task);
  const estimate = result?.estimates.get(metricId(metric))?.estimate;
  if (result === undefined || estimate === undefined) return null;
  if (written.confidence === 0.95) return estimate;
  const values = result.outcomes.flatMap((one) => one.values[metricId(metric)] ?? []);
  return estimateOf(metric, values, written.confidence);
}
