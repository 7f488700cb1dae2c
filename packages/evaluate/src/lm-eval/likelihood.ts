// output_type loglikelihood and loglikelihood_rolling.
import { setImmediate as breathe } from 'node:timers/promises';
import { ConfigError } from '@keel/align/config';
import type { Doc } from '../rows/docs.ts';
import { type Metric, perplexityOf, shareOf } from '../tasks/metrics.ts';
import { scorePairs } from '../tasks/multiple-choice.ts';
import { runPerplexity, textMetrics } from '../tasks/perplexity.ts';
import { unlessTooLong } from '../tasks/score-continuations.ts';
import type { Item, Outcome, Subject, Task } from '../tasks/task.ts';
import type { Fields } from './fields.ts';
import { metricsOf } from './metric-list.ts';
import type { LmEvalTask } from './task-schema.ts';

type Parts = Pick<Task, 'items' | 'metrics' | 'filters' | 'run'>;

export function likelihoodRun(
  task: LmEvalTask,
  path: string,
  fields: Fields,
  context: (doc: Doc) => string,
  docs: readonly Doc[],
): Parts {
  const known = { perplexity: perplexityOf('perplexity'), acc: shareOf('acc') };
  const items = docs.map((doc): Item<readonly [string, string]> => {
    const target = fields.target(doc);
    // lm-eval scores the target as it is written, without the delimiter.
    return { doc, request: [context(doc), String(target)] };
  });
  return {
    items,
    metrics: metricsOf(task, path, known, ['perplexity', 'acc']),
    filters: ['none'],
    async run(asked, subject, { signal, done }) {
      for (const item of asked as typeof items) {
        await breathe();
        signal.throwIfAborted();
        done(item, await unlessTooLong(() => likelihoodOutcome(item.request, subject)));
      }
    },
  };
}

function likelihoodOutcome(request: readonly [string, string], subject: Subject): Outcome {
  const { scores, truncated } = scorePairs([request], subject);
  const { logp, greedy } = scores[0]!;
  return {
    values: { perplexity: logp, acc: Number(greedy) },
    target: request[1],
    arguments: [request],
    responses: [[[logp, greedy]]],
    filtered: { none: [[logp, greedy]] },
    ...(truncated && { truncated }),
  };
}

export function rollingRun(
  task: LmEvalTask,
  path: string,
  fields: Fields,
  docs: readonly Doc[],
): Parts {
  if ((task.num_fewshot ?? 0) > 0) {
    throw new ConfigError([`${path}: num_fewshot: loglikelihood_rolling has no examples`]);
  }
  const known: Record<string, Metric> = Object.fromEntries(
    textMetrics.map((metric) => [metric.name, metric]),
  );
  const items = docs.map((doc) => ({ doc, request: String(fields.target(doc)) }));
  return {
    items,
    metrics: metricsOf(task, path, known, ['word_perplexity', 'byte_perplexity', 'bits_per_byte']),
    filters: ['none'],
    run: runPerplexity as Task['run'],
  };
}
