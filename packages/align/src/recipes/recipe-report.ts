// The report of a recipe: its stages, their numbers, and the inputs of each model.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashPath } from '../data/hash-path.ts';
import type { Health } from '../health/monitor.ts';
import { MetricsLog } from '../runs/metrics.ts';
import { formatDuration, stepsTook } from '../runs/progress.ts';
import type {
  Estimate,
  Headline,
  LineageEntry,
  ReportedStage,
  RewardPoint,
} from '../runs/report/report-data.ts';
import { writeReport } from '../runs/report/write-report.ts';
import {
  isMeasuring,
  type JobStage,
  mergedFolder,
  type Recipe,
  type RecipeStage,
  stageFolder,
  verbOf,
} from './recipe.ts';
import type { StageRecord, StageRecords } from './stage-records.ts';

type Result = NonNullable<StageRecord['result']>;

/** Writes the recipe's report.html, with the stages that are done so far. */
export async function writeRecipeReport(
  recipe: Recipe,
  records: StageRecords,
  path: string,
): Promise<void> {
  const { stages, text, output } = recipe;
  const done = stages.filter(({ name }) => records[name]?.result);
  const seconds = stages.reduce((sum, { name }) => sum + (records[name]?.seconds ?? 0), 0);
  const lineage: LineageEntry[] = [];
  for (const stage of stages) lineage.push(...(await lineageOf(recipe, stage, records)));
  writeReport(path, {
    title: `${recipe.path}: keel align`,
    summary: summaryOf(recipe, done, records),
    created: new Date().toISOString(),
    stages: stages.map((stage) => reported(recipe, stage, records[stage.name])),
    lineage,
    ran: {
      facts: [
        { label: 'Recipe', value: `${recipe.path} (SHA-256 ${short(sha256(text))})` },
        { label: 'Folder', value: output },
        { label: 'Time of all stages', value: formatDuration(seconds) },
      ],
      config: text,
      configName: 'The recipe',
    },
  });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const short = (hash: string): string => `${hash.slice(0, 12)}…`;

function summaryOf(
  { stages }: Recipe,
  done: readonly RecipeStage[],
  records: StageRecords,
): string {
  const names = stages.map(({ name }) => name).join(', then ');
  const some = done.length < stages.length;
  const verdicts = done.flatMap(({ name }) => {
    const verdict = records[name]?.result?.verdict;
    return verdict === undefined ? [] : [{ name, ...verdict }];
  });
  const failed = verdicts.filter(({ passed }) => !passed).map(({ name }) => name);
  const verdict =
    verdicts.length === 0
      ? ''
      : failed.length === 0
        ? ' All gates passed.'
        : ` The gate failed: ${failed.join(', ')}.`;
  return some
    ? `${names}: ${done.length} of ${stages.length} stages finished so far.${verdict}`
    : `${names}.${verdict}`;
}

const headlinesOf = ({ headlines }: Result): Headline[] =>
  headlines.map(({ before, after, before_interval, after_interval, ...rest }) => ({
    ...rest,
    before: before === null ? null : estimate(before, before_interval),
    after: estimate(after, after_interval),
  })) as Headline[];

const estimate = (value: number, interval: Estimate['interval']): Estimate => ({
  value,
  ...(interval && { interval }),
});

/** What is wrong with a stage; its own report has the details. */
function healthFacts(folder: string): string[] {
  const path = join(folder, 'health.json');
  if (!existsSync(path)) return [];
  try {
    const { findings } = JSON.parse(readFileSync(path, 'utf8')) as Health;
    const found = findings.map(({ code, severity }) => `${severity}: ${code}`);
    return found.length > 0 ? found : ['health: nothing found'];
  } catch {
    return [];
  }
}

function reported(
  { output }: Recipe,
  stage: RecipeStage,
  record: StageRecord | undefined,
): ReportedStage {
  const { name, verb } = stage;
  const result = record?.result ?? null;
  const own = existsSync(join(stageFolder(output, name), 'report.html'));
  const ended =
    result === null
      ? record === undefined
        ? 'not started'
        : 'interrupted'
      : stage.kind === 'job'
        ? formatDuration(record!.seconds)
        : stepsTook(result.step, record!.seconds);
  return {
    name,
    facts: [`keel ${verb}`, ended, ...healthFacts(stageFolder(output, name))],
    report: result !== null && own ? `${name}/report.html` : null,
    headlines: result === null ? [] : headlinesOf(result),
    ...(result?.verdict !== undefined && { verdict: result.verdict }),
    ...(result !== null && { rewardCurve: rewardPoints(stageFolder(output, name)) }),
  };
}

/**
 * Points of the training steps that have both values; none for a stage that does not sample or has
 * no reference.
 */
function rewardPoints(folder: string): RewardPoint[] {
  return MetricsLog.read(join(folder, 'metrics.jsonl')).flatMap(
    ({ step, reward, 'objective/kl': kl }) =>
      reward === undefined || kl === undefined ? [] : [{ step, kl, reward }],
  );
}

const labels: Readonly<Record<string, string>> = {
  data: 'data',
  eval_data: 'held-out data',
  model: 'model',
};

async function lineageOf(
  { output, stages }: Recipe,
  stage: RecipeStage,
  records: StageRecords,
): Promise<LineageEntry[]> {
  const { name } = stage;
  const record = records[name];
  if (!record?.result) return [];
  const { inputs, options: values, verb } = record.identity;
  const madeOf = Object.entries(inputs).flatMap(([key, files]) =>
    files.map(({ name, sha256 }) => ({
      label: labels[key] ?? key,
      // Rows have the name of their file.
      name: name.replace(/^stages\.([^/]*)$/, '$1/final').replace(/^stages\./, ''),
      sha256,
    })),
  );
  madeOf.push({ label: 'options', name: `keel ${verb}`, sha256: sha256(JSON.stringify(values)) });
  if (stage.kind === 'job') return [jobEntry(stage, record.result, madeOf)];
  const { options } = stage;
  const of = verbOf(stage).gives;
  const final = { label: 'adapter', name: `${name}/final`, sha256: record.result.sha256 };
  const entries: LineageEntry[] = [
    {
      name: final.name,
      kind: options.lora ? `${of}: an adapter for its base model` : of,
      sha256: final.sha256,
      madeOf,
    },
  ];
  const merged = mergedFolder(output, name);
  const used = stages.some((one) => one.from.values().some((names) => names.includes(name)));
  if (options.lora && used && existsSync(merged)) {
    const base = (inputs.model ?? []).map((file) => ({ label: 'model', ...file }));
    entries.push({
      name: `${name}/merged`,
      kind: 'the adapter merged into its base model',
      sha256: await hashPath(merged),
      madeOf: [...base, final],
    });
  }
  return entries;
}

const jobEntry = (
  stage: JobStage,
  { sha256 }: Result,
  madeOf: LineageEntry['madeOf'],
): LineageEntry => ({
  name: stage.job.results.map((file) => `${stage.name}/${file}`).join(', '),
  kind: isMeasuring(stage) ? 'measurements' : 'rows for training',
  ...{ sha256, madeOf },
});
