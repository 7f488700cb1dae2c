// The YAML file of a suite. Keys are as in the file.
import { z } from 'zod';

const text = z.string().min(1);

/**
 * A column's name, or a Jinja template over the columns of a row: `question`,
 * `"Question: {{question}}\nAnswer:"`.
 */
const template = z.string();

const name = text.regex(
  /^[a-z0-9][a-z0-9_.-]*$/i,
  'a name has letters, digits, "-", "_" and "." only, since it also names files',
);

const fewShot = z.strictObject({
  count: z.int().min(1).describe('examples before each prompt, the first ones of the data'),
  data: text.optional().describe('their rows (default: those of the task, except the row itself)'),
  separator: z.string().default('\n\n').describe('text after each example'),
});

const common = {
  name,
  description: z.string().default('').describe('what it measures, for the report'),
  data: z
    .union([text, z.array(text).min(1)])
    .describe('rows: files relative to the suite (JSONL, JSON, CSV, Parquet), or hub:owner/name'),
  limit: z.int().min(1).optional().describe('only the first rows (default: all)'),
  group: text.optional().describe('column by which the numbers are also shown'),
};

const chat = z
  .boolean()
  .optional()
  .describe("whether prompts are rendered with the model's chat template");

/** How answers are generated. */
const generating = {
  prompt: template.default('prompt').describe('column or template: text, or a list of messages'),
  system: text.optional().describe('system message before each prompt'),
  chat: chat.describe(
    'whether prompts are user messages of a chat (default: if the model has a chat template)',
  ),
  max_new_tokens: z.int().min(1).default(256),
  temperature: z.number().min(0).default(0),
  top_p: z.number().gt(0).max(1).default(1),
  samples: z.int().min(1).default(1).describe('answers to each prompt'),
  stop: z.array(text).default([]).describe('texts that end an answer'),
  seed: z.int().min(0).default(0),
};

export const taskSchemas = {
  'multiple-choice': z.strictObject({
    type: z.literal('multiple-choice'),
    ...common,
    prompt: template.default('prompt'),
    choices: z
      .union([template, z.array(template).min(2)])
      .default('choices')
      .describe('column with a list, a template that writes one, or a list of templates'),
    answer: template
      .default('answer')
      .describe(
        'column or template: the index of the right choice, from 0, its letter or its text',
      ),
    delimiter: z.string().default(' ').describe('text between prompt and choice'),
    few_shot: fewShot.optional(),
    chat: chat.describe('whether the prompt is a user message of a chat (default: false)'),
    mutual_information: z
      .boolean()
      .default(false)
      .describe('also compute acc_mutual_info, which scores every choice without its prompt'),
  }),
  generation: z.strictObject({
    type: z.literal('generation'),
    ...common,
    ...generating,
    answer: template.optional().describe('column or template: what a right answer is'),
    few_shot: fewShot.optional(),
    check: z
      .union([text, z.looseObject({})])
      .describe('how answers are checked: exact, number, regex:/…/, a module, or a mapping'),
  }),
  refusals: z.strictObject({
    type: z.literal('refusals'),
    ...common,
    ...generating,
    check: z.union([text, z.looseObject({})]).default('refusal'),
  }),
  instructions: z.strictObject({
    type: z.literal('instructions'),
    ...common,
    ...generating,
    check: z.union([text, z.looseObject({})]).default('instructions'),
  }),
  probes: z.strictObject({
    type: z.literal('probes'),
    ...common,
    ...generating,
    check: z.union([text, z.looseObject({})]),
    answer: template.optional().describe('column or template: what a right answer is'),
    follow_up: template
      .optional()
      .describe('column or template: a second user message, after the first answer'),
    pressed: template
      .optional()
      .describe('column or template: the prompt again, with what should not change the answer'),
  }),
  code: z.strictObject({
    type: z.literal('code'),
    ...common,
    ...generating,
    k: z
      .array(z.int().min(1))
      .min(1)
      .default([1])
      .describe('values of k for pass@k, at most `samples`'),
    tests: z
      .looseObject({})
      .default({})
      .describe('keys of the reward `code`, such as tests_field, prompt_is_code and limits'),
  }),
  'preference-accuracy': z.strictObject({
    type: z.literal('preference-accuracy'),
    ...common,
    by: z
      .enum(['auto', 'reward', 'implicit', 'likelihood'])
      .default('auto')
      .describe(
        'reward: `reward`; implicit: log-probability minus that of the model that an adapter started from; likelihood: log-probability; auto: reward if there is one, implicit if an adapter is evaluated, otherwise likelihood',
      ),
    chat: chat.describe('whether plain prompts become user messages of a chat (default: true)'),
    reward: text.optional().describe('reward spec or folder of a reward model, for `by: reward`'),
    per_token: z
      .boolean()
      .default(false)
      .describe('divide log-probabilities by the number of tokens of the answer'),
  }),
  perplexity: z.strictObject({
    type: z.literal('perplexity'),
    ...common,
    text: template.default('text').describe('column or template'),
  }),
  'win-rate': z.strictObject({
    type: z.literal('win-rate'),
    ...common,
    ...generating,
    judge: text.describe('who decides: a spec file, or model:…, endpoint:…, reward:…'),
    baseline: template
      .default('baseline')
      .describe('column or template: the answer that the model is compared with'),
  }),
} as const;

const schemas = Object.values(taskSchemas);

export const suiteSchema = z.strictObject({
  name: name.optional().describe("(default: the file's name)"),
  description: z.string().default(''),
  tasks: z
    .array(z.discriminatedUnion('type', schemas as [(typeof schemas)[0], ...typeof schemas]))
    .min(1),
});

export type TaskType = keyof typeof taskSchemas;
export type TaskSpec = z.output<(typeof taskSchemas)[TaskType]>;
export type SpecOf<Type extends TaskType> = z.output<(typeof taskSchemas)[Type]>;
export type SuiteSpec = z.output<typeof suiteSchema>;
