// What was measured: the results of evaluations, judges, audits, ratings, labs and comparisons,
// by the schemas that the commands write them with; and gates.
import { type ComparisonResultsFile, comparisonResultsFile } from '@keel/align/runs';
import {
  type AttacksFile,
  type AuditFile,
  attacksFile,
  auditFile,
  type CheckFile,
  type ComparisonFile,
  checkFile,
  comparisonFile,
  type EvaluationFile,
  evaluationFile,
  judgingSettingsFile,
  type LabFile,
  labFile,
  type RatingsFile,
  ratingsFile,
  type ScoresFile,
  scoresFile,
} from '@keel/evaluate/results';
import { isPlainObject } from '@keel/model/exact-json';
import { z } from 'zod';
import type { FoundRun } from '../folders/find-runs.ts';
import type { RunFiles } from './run-files.ts';

/** What a command found, as it is in its file. */
export type RunResults =
  | { kind: 'evaluation'; found: EvaluationFile }
  | { kind: 'judged'; found: ComparisonFile }
  | { kind: 'judge-check'; found: CheckFile }
  | { kind: 'scores'; found: ScoresFile }
  | { kind: 'audit'; found: AuditFile }
  | { kind: 'attacks'; found: AttacksFile }
  | { kind: 'ratings'; found: RatingsFile }
  | { kind: 'lab'; found: LabFile }
  | { kind: 'comparison'; found: ComparisonResultsFile };

/** The results of a run. */
export interface ReadResults {
  /** null: there are none yet, or their file cannot be read. */
  results: RunResults | null;
  /** Why the file cannot be read, in a sentence; null: it can, or there is none. */
  fault: string | null;
}

type Kind = RunResults['kind'];

/** The file of each kind, and its schema. */
const files = {
  evaluation: { name: 'summary.json', schema: evaluationFile },
  judged: { name: 'summary.json', schema: comparisonFile },
  'judge-check': { name: 'summary.json', schema: checkFile },
  scores: { name: 'summary.json', schema: scoresFile },
  audit: { name: 'audit.json', schema: auditFile },
  attacks: { name: 'attacks.json', schema: attacksFile },
  ratings: { name: 'ratings.json', schema: ratingsFile },
  lab: { name: 'results.json', schema: labFile },
  comparison: { name: 'results.json', schema: comparisonResultsFile },
} as const satisfies Record<Kind, { name: string; schema: z.ZodType }>;

const ofMode = { comparison: 'judged', check: 'judge-check', rating: 'scores' } as const;

/** Reads what a run's command found. */
export function resultsOf(run: FoundRun, read: RunFiles): ReadResults {
  const kind = kindOf(run, read);
  if (kind === null) return { results: null, fault: null };
  const { name, schema } = files[kind];
  const { found, fault } = read.checked<unknown>(run.path, name, schema);
  return { results: found === null ? null : ({ kind, found } as RunResults), fault };
}

function kindOf(run: FoundRun, read: RunFiles): Kind | null {
  switch (run.kind) {
    case 'judging': {
      const { found } = read.checked(run.path, 'judging.json', judgingSettingsFile);
      return found === null ? null : ofMode[found.mode];
    }
    case 'evaluation': {
      // `keel judge --recompute` writes a summary without asking a judge.
      const { found } = read.checked(run.path, 'summary.json', comparisonFile);
      return found === null ? 'evaluation' : 'judged';
    }
    case 'rating':
      return 'ratings';
    case 'audit':
    case 'attacks':
    case 'lab':
    case 'comparison':
      return run.kind;
    default:
      return null;
  }
}

/** Whether a bound was met. */
export interface GateVerdict {
  /** What it is about, in a few words. */
  name: string;
  passed: boolean;
  /** What was measured and demanded, or the reasons, a sentence each. */
  reasons: string[];
}

/** Gates of an evaluation, and verdicts of a recipe's stages that have gates. */
export function gatesOf(run: FoundRun, read: RunFiles, results: RunResults | null): GateVerdict[] {
  const stages = Object.entries(read.stages(run) ?? {}).flatMap(([name, { result }]) =>
    result?.verdict === undefined
      ? []
      : [{ name, passed: result.verdict.passed, reasons: result.verdict.reasons }],
  );
  return [...stages, ...(results?.kind === 'evaluation' ? results.found.gates.map(gateOf) : [])];
}

const demands = {
  at_least: 'at least',
  at_most: 'at most',
  no_worse_than: 'worse than the first entry by at most',
  better_by: 'better than the first entry by at least',
} as const;

function gateOf(gate: EvaluationFile['gates'][number]): GateVerdict {
  const { entry, metric, passed, measured, bound } = gate;
  const shown = (value: number): string => String(Number(value.toPrecision(4)));
  const demanded = (Object.keys(demands) as (keyof typeof demands)[]).flatMap((key) =>
    gate[key] === undefined ? [] : [`${demands[key]} ${shown(gate[key])}`],
  );
  const asked = `asked for is ${demanded.join(' and ')}`;
  const decided =
    bound === null || bound === measured
      ? ''
      : `, of which the worse end of the interval, ${shown(bound)}, decides`;
  const found = measured === null ? 'no row has this number' : `measured ${shown(measured)}`;
  return { name: `${entry}, ${metric}`, passed, reasons: [`${found}${decided}; ${asked}`] };
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
export function headlinesOf(run: FoundRun, read: RunFiles): ShownHeadline[] {
  const facts = read.json(run.path, 'final/keel.json');
  const stages: unknown = facts?.stages;
  const last: unknown = Array.isArray(stages) ? stages.at(-1) : null;
  const found: unknown = isPlainObject(last) ? last.headlines : null;
  return (Array.isArray(found) ? found : []).flatMap((one) => {
    const own = headline.safeParse(one).data;
    return own === undefined
      ? []
      : [{ ...own, before: own.before?.value ?? null, after: own.after.value }];
  });
}
