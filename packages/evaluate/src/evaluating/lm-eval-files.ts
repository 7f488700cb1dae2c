// Results and samples in lm-evaluation-harness's form (EvaluationTracker in
// lm_eval/loggers/evaluation_tracker.py).

import { join } from 'node:path';
import { exactJson, writeFileAtomic } from '@keel/align/internal';
import { asWritten } from '@keel/model/exact-json';
import type { TaskResult } from '../comparing/task-result.ts';
import type { LmEvalGroup } from '../lm-eval/task-schema.ts';
import type { Subject } from '../tasks/task.ts';
import { sha256 } from './item-store.ts';

export interface LmEvalRun {
  subject: Subject;
  results: readonly TaskResult[];
  groups: readonly (LmEvalGroup & { tasks: readonly string[] })[];
  limit: number | null;
  started: Date;
  ended: Date;
}

/**
 * Writes `results_<date>.json` and a `samples_<task>_<date>.jsonl` for each task.
 * @returns the path of the results
 */
export function writeLmEvalFiles(folder: string, run: LmEvalRun): string {
  const date = run.ended.toISOString().replace(/:/g, '-').replace('Z', '000');
  for (const result of run.results) {
    const path = join(folder, `samples_${result.task.name}_${date}.jsonl`);
    writeFileAtomic(
      path,
      samplesOf(result)
        .map((line) => `${exactJson(line)}\n`)
        .join(''),
    );
  }
  const path = join(folder, `results_${date}.json`);
  writeFileAtomic(path, `${JSON.stringify(resultsOf(run), null, 2)}\n`);
  return path;
}

/** A list of lists as lm-eval's `arguments`: `{gen_args_0: {arg_0: …}}`. */
const namedArguments = (lists: readonly (readonly unknown[])[]) =>
  Object.fromEntries(
    lists.map((list, at) => [
      `gen_args_${at}`,
      Object.fromEntries(list.map((value, place) => [`arg_${place}`, value])),
    ]),
  );

/** lm-eval writes numbers and booleans of responses as text, in lists. */
function asTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asTexts);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}

function samplesOf({ task, items, outcomes }: TaskResult): Record<string, unknown>[] {
  return outcomes.flatMap((outcome, at) => {
    const { doc } = items[at]!;
    const { filtered, values, target, arguments: lists, responses } = outcome;
    return task.filters.map((filter) => {
      const own = Object.entries(values).flatMap(([id, value]) => {
        const [name, of] = id.split(',') as [string, string | undefined];
        return of === undefined || of === filter ? [[name, value] as const] : [];
      });
      return {
        doc_id: doc.id,
        doc: doc.row,
        target,
        arguments: namedArguments(lists),
        resps: asTexts(responses),
        filtered_resps: asTexts(filtered[filter] ?? []),
        filter,
        metrics: own.map(([name]) => name),
        doc_hash: sha256(JSON.stringify(asWritten(doc.row), null, 2)),
        prompt_hash: sha256(String(lists[0]?.[0] ?? '')),
        target_hash: sha256(target),
        ...Object.fromEntries(own),
        ...(outcome.label !== undefined && { label: outcome.label }),
        ...(outcome.note !== undefined && { note: outcome.note }),
        ...(outcome.skipped !== undefined && { skipped: outcome.skipped }),
      };
    });
  });
}

function resultsOf({ subject, results, groups, limit, started, ended }: LmEvalRun) {
  const { tokenizer, decoder, name } = subject.model;
  const token = (id: number | null) => (id === null ? null : [tokenizer.idToToken(id), String(id)]);
  const template = tokenizer.chatTemplate?.sources ?? null;
  const chat = template === null ? null : (template.default ?? JSON.stringify(template));
  const of = <Value>(value: (result: TaskResult) => Value): Record<string, Value> =>
    Object.fromEntries(results.map((result) => [result.task.name, value(result)]));
  const own = of(metricsOf);
  const grouped = Object.fromEntries(groups.map((group) => [group.group, groupOf(group, results)]));
  return {
    results: { ...grouped, ...own },
    ...(groups.length > 0 && { groups: grouped }),
    group_subtasks: {
      ...Object.fromEntries(groups.map(({ group, tasks }) => [group, tasks])),
      ...of(() => []),
    },
    configs: of(({ task }) => task.config),
    versions: of(({ task }) => task.version),
    'n-shot': of(({ task }) => task.shots),
    higher_is_better: of(({ task }) =>
      Object.fromEntries(task.metrics.map((metric) => [metric.name, metric.higherIsBetter])),
    ),
    'n-samples': of(({ task, outcomes, skipped }) => ({
      original: task.originalCount,
      effective: outcomes.length - skipped,
    })),
    config: {
      model: 'keel',
      model_args: { model: name, adapter: subject.name, dtype: decoder.computeType },
      batch_size: 1,
      device: subject.model.device,
      limit,
      bootstrap_iters: 10_000,
    },
    date: started.getTime() / 1000,
    tokenizer_pad_token: token(tokenizer.padTokenId),
    tokenizer_eos_token: token(tokenizer.eosTokenId),
    tokenizer_bos_token: token(tokenizer.bosTokenId),
    max_length: decoder.config.maxPositions,
    task_hashes: of((result) =>
      sha256(
        samplesOf(result)
          .map((one) => `${one.doc_hash}${one.prompt_hash}${one.target_hash}`)
          .join(''),
      ),
    ),
    model_source: 'keel',
    model_name: subject.name,
    model_name_sanitized: sanitized(subject.name),
    chat_template: chat,
    chat_template_sha: chat === null ? null : sha256(chat),
    total_evaluation_time_seconds: String((ended.getTime() - started.getTime()) / 1000),
  };
}

/** `acc,none` and `acc_stderr,none`; a standard error that does not exist is "N/A". */
function metricsOf({ task, estimates, outcomes }: TaskResult): Record<string, unknown> {
  const found: Record<string, unknown> = { alias: task.name, sample_len: outcomes.length };
  for (const { metric, estimate } of estimates.values()) {
    found[`${metric.name},${metric.filter}`] = estimate.value;
    found[`${metric.name}_stderr,${metric.filter}`] = estimate.standardError ?? 'N/A';
  }
  return found;
}

/** Means over the tasks of a group, by their rows or not (lm_eval/api/group.py). */
function groupOf(
  group: LmEvalGroup & { tasks: readonly string[] },
  results: readonly TaskResult[],
): Record<string, unknown> {
  const list = group.aggregate_metric_list ?? [];
  const found: Record<string, unknown> = { alias: group.group_alias ?? group.group };
  for (const { metric, weight_by_size: weighted } of Array.isArray(list) ? list : [list]) {
    const own = results.flatMap(({ task, estimates }) => {
      const one = group.tasks.includes(task.name) ? estimates.get(metric) : undefined;
      return one === undefined ? [] : [one.estimate];
    });
    if (own.length === 0) continue;
    const weights = own.map(({ count }) => (weighted ? count : 1));
    const total = weights.reduce((sum, one) => sum + one, 0);
    const mean = own.reduce((sum, { value }, at) => sum + value * weights[at]!, 0) / total;
    found[`${metric},none`] = mean;
    const errors = own.map(({ standardError }) => standardError);
    found[`${metric}_stderr,none`] = errors.includes(null) ? 'N/A' : pooled(own);
  }
  return found;
}

/** pooled_sample_stderr: the root of the pooled variance by the number of all rows. */
function pooled(parts: readonly { standardError: number | null; count: number }[]): number {
  const rows = parts.reduce((sum, { count }) => sum + count, 0);
  const variance = parts.reduce(
    (sum, { standardError, count }) => sum + (count - 1) * count * standardError! ** 2,
    0,
  );
  return Math.sqrt(variance / (rows - parts.length) / rows);
}

/** A model's name as a folder's. */
export const sanitized = (name: string): string =>
  name
    .replace(/[/\\]/g, '__')
    .replace(/[^\w.-]/g, '_')
    .replace(/^\.+/, '_');
