// output_type generate_until.
import { ConfigError } from '@keel/align/config';
import type { Doc } from '../rows/docs.ts';
import { encodeText } from '../tasks/encode-pair.ts';
import { type GenerationSettings, runGeneration } from '../tasks/generation.ts';
import { type Metric, type MetricValue, meanOf, metricId, shareOf } from '../tasks/metrics.ts';
import type { Item, Task } from '../tasks/task.ts';
import type { Fields } from './fields.ts';
import { exactMatch, type Filter, filterOf } from './filters.ts';
import { metricsOf } from './metric-list.ts';
import type { LmEvalTask } from './task-schema.ts';

interface Request {
  context: string;
  references: readonly string[];
}

export function generationRun(
  task: LmEvalTask,
  path: string,
  fields: Fields,
  context: (doc: Doc) => string,
  docs: readonly Doc[],
): Pick<Task, 'items' | 'metrics' | 'filters' | 'run'> {
  const settings = settingsOf(task);
  const filters = new Map<string, Filter>(
    (task.filter_list ?? []).map(({ name, filter }) => [name, named(path, () => filterOf(filter))]),
  );
  if (filters.size === 0) filters.set('none', (text) => text);
  metricsOf(task, path, { exact_match: shareOf('exact_match') }, ['exact_match']);
  const options = task.metric_list?.find(({ metric }) => metric === 'exact_match');
  const matches = named(path, () =>
    exactMatch(
      options ?? {
        metric: 'exact_match',
        ...{ ignore_case: false, ignore_punctuation: false, ignore_numbers: false },
        regexes_to_ignore: [],
      },
    ),
  );
  const metrics: Metric[] = [
    ...[...filters.keys()].map((filter) => shareOf('exact_match', filter)),
    { ...meanOf('cut_off', false), share: true },
  ];
  const items = docs.map((doc): Item<Request> => {
    const target = fields.target(doc);
    const choices = fields.choices?.(doc) ?? null;
    const several = Array.isArray(target) ? target : [target];
    const references = several.map((one) =>
      choices !== null && typeof one === 'number' ? choices[one]! : String(one),
    );
    return { doc, request: { context: context(doc), references } };
  });
  return {
    items,
    metrics,
    filters: [...filters.keys()],
    run: (asked, subject, hooks) =>
      runGeneration(
        asked as typeof items,
        subject,
        {
          settings,
          render: ({ request }, { tokenizer }) => ({
            tokens: encodeText(tokenizer, request.context),
            text: request.context,
            opened: '',
            cuttable: true,
          }),
          judge: async ([answer], { request: { references } }) => {
            const values: Record<string, MetricValue> = {};
            const filtered: Record<string, string[]> = {};
            for (const [name, filter] of filters) {
              const text = filter(answer!);
              const hit = references.some((reference) => matches(text, reference));
              values[metricId({ name: 'exact_match', filter: name })] = Number(hit);
              filtered[name] = [text];
            }
            const target = references.length === 1 ? references[0]! : JSON.stringify(references);
            return { values, target, filtered };
          },
        },
        hooks,
      ),
  };
}

/** lm-eval's defaults: greedy, at most 256 tokens, and the few-shot delimiter ends an answer. */
function settingsOf({ generation_kwargs: given, fewshot_delimiter: end }: LmEvalTask) {
  const { until = [end], do_sample: sample, temperature = 0 } = given ?? {};
  const settings: GenerationSettings = {
    maxNewTokens: given?.max_gen_toks ?? 256,
    temperature: sample === false ? 0 : temperature,
    topP: given?.top_p ?? 1,
    samples: 1,
    stop: (typeof until === 'string' ? [until] : until).filter((text) => text !== ''),
    seed: 0,
  };
  return settings;
}

function named<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new ConfigError([`${path}: ${(error as Error).message}`], { cause: error });
  }
}
