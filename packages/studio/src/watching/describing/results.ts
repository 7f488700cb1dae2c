// What was measured of a result: suites and gates of `keel evaluate`, and gates of a recipe.
import { isPlainObject } from '@keel/model/exact-json';
import { z } from 'zod';
import type { FoundRun } from '../folders/find-runs.ts';
import type { RunFiles } from './run-files.ts';

const metric = z.object({
  value: z.number(),
  interval: z.tuple([z.number(), z.number()]).nullable().catch(null),
  count: z.number().nullable().catch(null),
  higher_is_better: z.boolean().nullable().catch(null),
});

const evaluation = z.object({
  suites: z.array(z.string()).catch([]),
  baseline: z.string().nullable().catch(null),
  entries: z.array(
    z.looseObject({
      name: z.string(),
      tasks: z.record(z.string(), z.object({ metrics: z.record(z.string(), metric) })),
    }),
  ),
  gates: z.array(z.looseObject({ entry: z.string(), passed: z.boolean() })).catch([]),
  passed: z.boolean().nullable().catch(null),
});

/** A number of a suite's task. */
export type MeasuredMetric = z.output<typeof metric>;

/** The results of `keel evaluate`. */
export interface EvaluationResults {
  suites: string[];
  /** The entry that others are compared with; null for a single one. */
  baseline: string | null;
  entries: { name: string; tasks: { name: string; metrics: Record<string, MeasuredMetric> }[] }[];
  gates: GateVerdict[];
  /** null without gates. */
  passed: boolean | null;
}

/** Whether a bound was met. */
export interface GateVerdict {
  /** What it is about, in a few words. */
  name: string;
  passed: boolean;
  /** What was measured and demanded, or the reasons, a sentence each. */
  reasons: string[];
}

/** @returns null if the run is no evaluation, or its file is damaged */
export function evaluationOf(run: FoundRun, files: RunFiles): EvaluationResults | null {
  if (run.kind !== 'evaluation') return null;
  const read = evaluation.safeParse(files.json(run.path, 'summary.json')).data;
  if (read === undefined) return null;
  return {
    ...{ suites: read.suites, baseline: read.baseline, passed: read.passed },
    entries: read.entries.map(({ name, tasks }) => ({
      name,
      tasks: Object.entries(tasks).map(([task, { metrics }]) => ({ name: task, metrics })),
    })),
    gates: read.gates.map(gateOf),
  };
}

function gateOf(gate: Record<string, unknown> & { entry: string; passed: boolean }): GateVerdict {
  const { entry, passed, measured, bound, ...written } = gate;
  const about = ['task', 'metric', 'group'].flatMap((key) =>
    typeof written[key] === 'string' ? [written[key]] : [],
  );
  const shown = (value: unknown): string =>
    typeof value === 'number' ? String(Number(value.toPrecision(4))) : 'nothing';
  return {
    name: [entry, ...about].join(', '),
    passed,
    reasons: [`measured ${shown(measured)}; the bound is ${shown(bound)}`],
  };
}

/** Verdicts of a recipe's stages that have gates. */
export function stageVerdicts(run: FoundRun, files: RunFiles): GateVerdict[] {
  return Object.entries(files.stages(run) ?? {}).flatMap(([name, { result }]) =>
    result?.verdict === undefined
      ? []
      : [{ name, passed: result.verdict.passed, reasons: result.verdict.reasons }],
  );
}

/** A number of a run before and after, as its report shows it at the top. */
export interface ShownHeadline {
  label: string;
  unit: string;
  before: number | null;
  after: number;
  better: string | null;
  note: string | null;
}

const headline = z.object({
  label: z.string(),
  unit: z.string().catch('number'),
  better: z.string().nullable().catch(null),
  before: z.object({ value: z.number() }).nullable().catch(null),
  after: z.object({ value: z.number() }),
  note: z.string().nullable().catch(null),
});

/** Of a finished training, from the model card's facts. */
export function headlinesOf(run: FoundRun, files: RunFiles): ShownHeadline[] {
  const facts = files.json(run.path, 'final/keel.json');
  const stages: unknown = facts?.stages;
  const last: unknown = Array.isArray(stages) ? stages.at(-1) : null;
  const found: unknown = isPlainObject(last) ? last.headlines : null;
  return (Array.isArray(found) ? found : []).flatMap((one) => {
    const read = headline.safeParse(one).data;
    return read === undefined
      ? []
      : [{ ...read, before: read.before?.value ?? null, after: read.after.value }];
  });
}
