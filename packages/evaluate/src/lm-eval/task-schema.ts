// The keys of lm-evaluation-harness's task files that Keel reads; every other key is refused.
import { z } from 'zod';

const text = z.string();
const template = z.union([text, z.number()]);

const metricNames = [
  'acc',
  'acc_norm',
  'acc_bytes',
  'acc_mutual_info',
  'brier_score',
  'exact_match',
  'perplexity',
  'word_perplexity',
  'byte_perplexity',
  'bits_per_byte',
] as const;

const metric = z.strictObject({
  metric: z.enum(metricNames),
  aggregation: z
    .enum(['mean', 'brier_score', 'perplexity', 'weighted_perplexity', 'bits_per_byte'])
    .optional(),
  higher_is_better: z.boolean().optional(),
  ignore_case: z.boolean().default(false),
  ignore_punctuation: z.boolean().default(false),
  ignore_numbers: z.boolean().default(false),
  regexes_to_ignore: z.array(text).default([]),
});

const filterStep = z.discriminatedUnion('function', [
  z.strictObject({
    function: z.literal('regex'),
    regex_pattern: text.default('#### (\\-?[0-9\\.\\,]+)'),
    group_select: z.int().default(0),
    fallback: text.default('[invalid]'),
  }),
  z.strictObject({ function: z.literal('remove_whitespace') }),
  z.strictObject({ function: z.literal('lowercase') }),
  z.strictObject({ function: z.literal('uppercase') }),
  z.strictObject({ function: z.literal('take_first') }),
]);

export type FilterStep = z.output<typeof filterStep>;

const files = z.union([text, z.array(text)]);

export const lmEvalTaskSchema = z.strictObject({
  task: text,
  task_alias: text.optional(),
  tag: z.union([text, z.array(text)]).optional(),
  dataset_path: text,
  dataset_name: text.nullish(),
  dataset_kwargs: z
    .strictObject({ data_files: z.union([files, z.record(text, files)]).optional() })
    .nullish(),
  training_split: text.nullish(),
  validation_split: text.nullish(),
  test_split: text.nullish(),
  fewshot_split: text.nullish(),
  output_type: z
    .enum(['multiple_choice', 'loglikelihood', 'loglikelihood_rolling', 'generate_until'])
    .default('generate_until'),
  doc_to_text: template.default(''),
  doc_to_target: template.optional(),
  doc_to_choice: z.union([text, z.array(text), z.record(text, text)]).nullish(),
  description: text.default(''),
  target_delimiter: text.default(' '),
  fewshot_delimiter: text.default('\n\n'),
  num_fewshot: z.int().min(0).nullish(),
  fewshot_config: z
    .strictObject({ sampler: z.literal('first_n'), split: text.optional() })
    .nullish(),
  metric_list: z.array(metric).optional(),
  generation_kwargs: z
    .strictObject({
      until: z.union([text, z.array(text)]).optional(),
      do_sample: z.boolean().optional(),
      temperature: z.number().min(0).optional(),
      top_p: z.number().gt(0).max(1).optional(),
      max_gen_toks: z.int().min(1).optional(),
    })
    .nullish(),
  filter_list: z
    .array(z.strictObject({ name: text, filter: z.array(filterStep).min(1) }))
    .nullish(),
  repeats: z.literal(1).default(1),
  should_decontaminate: z.literal(false).default(false),
  metadata: z.looseObject({}).nullish(),
});

export type LmEvalTask = z.output<typeof lmEvalTaskSchema>;

const groupMetric = z.strictObject({
  metric: text,
  aggregation: z.literal('mean').default('mean'),
  weight_by_size: z.boolean().default(true),
  filter_list: z.union([text, z.array(text)]).optional(),
});

/** A file with `group`: tasks that are run together, by name or file. */
export const lmEvalGroupSchema = z.strictObject({
  group: text,
  group_alias: text.optional(),
  task: z.union([text, z.array(text).min(1)]),
  aggregate_metric_list: z.union([groupMetric, z.array(groupMetric)]).optional(),
  metadata: z.looseObject({}).nullish(),
});

export type LmEvalGroup = z.output<typeof lmEvalGroupSchema>;
