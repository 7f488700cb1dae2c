import { z } from 'zod';
import { defineOptions, type OptionsDefinition, option } from './options.ts';
import { parseProfileSteps } from './profile-steps.ts';
import { templateShape } from './template-options.ts';

/** The model used where none is named. */
export const DEFAULT_MODEL = 'SmolLM2-135M-Instruct';

const data = 'Model and data';
const optimisation = 'Optimisation';
const batching = 'Batching and length';
const adapters = 'LoRA';
const following = 'Evaluation and checkpoints';
const machine = 'Machine';
const call = 'This call';

/** Options of every verb that trains, in the order of --help. */
export const trainingShape = {
  model: option(z.string().min(1).default(DEFAULT_MODEL), {
    description:
      'model to start from: a folder, a GGUF file, hub:owner/name[@revision], or the default model',
    group: data,
    value: 'model',
  }),
  ...templateShape(data),
  data: option(z.array(z.string().min(1)).min(1), {
    description: 'training rows: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    group: data,
    value: 'path',
    commas: false,
  }),
  evalData: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description: 'held-out rows to evaluate on; none: no evaluation',
    group: data,
    value: 'path',
    commas: false,
  }),
  output: option(z.string().min(1), {
    description: "the run's folder, for example runs/first",
    group: data,
    value: 'folder',
  }),
  onBadRow: option(z.enum(['fail', 'skip']).default('fail'), {
    description: 'a row that is not valid stops the run, or is skipped, counted and listed',
    group: data,
    value: 'what',
  }),
  learningRate: option(z.number().positive().nullable().default(null), {
    description: 'highest learning rate; none: 1e-6 for full fine-tuning, 1e-5 with LoRA',
    group: optimisation,
    value: 'rate',
  }),
  scheduler: option(z.enum(['constant', 'linear', 'cosine']).default('linear'), {
    description: 'course of the learning rate after the warm-up; linear and cosine end at zero',
    group: optimisation,
    value: 'name',
  }),
  warmupSteps: option(z.number().int().min(0).default(0), {
    description: 'optimizer steps over which the learning rate rises from zero',
    group: optimisation,
  }),
  weightDecay: option(z.number().min(0).default(0), {
    description: "AdamW's decoupled weight decay",
    group: optimisation,
    value: 'factor',
  }),
  maxGradNorm: option(z.number().positive().nullable().default(1), {
    description: 'gradients of a larger global norm are scaled down to it; none: never',
    group: optimisation,
    value: 'norm',
  }),
  epochs: option(z.number().positive().default(1), {
    description: 'passes over the training rows; a fraction is a part of a pass',
    group: optimisation,
  }),
  maxSteps: option(z.number().int().min(1).nullable().default(null), {
    description: 'optimizer steps in all, whatever --epochs says; none: as --epochs says',
    group: optimisation,
  }),
  batchSize: option(z.number().int().min(1).default(8), {
    description: 'rows of one optimizer step; for preferences a row is a pair',
    group: batching,
    value: 'rows',
  }),
  microBatchSize: option(z.number().int().min(1).nullable().default(null), {
    description:
      'rows of one forward and backward pass; changes speed and memory, not the gradient',
    group: batching,
    value: 'rows',
  }),
  microBatchTokens: option(
    z
      .union([z.number().int().min(1), z.enum(['auto'])])
      .nullable()
      .default(null),
    {
      description:
        'in place of --micro-batch-size: most tokens of one pass, a prompt counted once; a step becomes few passes of about the same length; auto, and none: from free memory',
      group: batching,
      value: 'tokens',
    },
  ),
  maxLength: option(z.number().int().min(2).nullable().default(1024), {
    description: 'tokens of prompt and answer together; longer rows are cut; none: never',
    group: batching,
    value: 'tokens',
  }),
  shuffle: option(z.boolean().default(true), {
    description: "keep the files' own order; else a new order every epoch, drawn from --seed",
    group: batching,
  }),
  seed: option(z.number().int().min(0).default(42), {
    description: 'seed of the row order, LoRA weights and dropout',
    group: batching,
  }),
  lora: option(z.boolean().default(false), {
    description: 'train LoRA adapters and leave the model itself as it is',
    group: adapters,
  }),
  loraRank: option(z.number().int().min(1).default(16), {
    description: 'rank of the adapters',
    group: adapters,
    value: 'rank',
  }),
  loraAlpha: option(z.number().positive().default(32), {
    description: "adapters' products are scaled by alpha / rank",
    group: adapters,
    value: 'alpha',
  }),
  loraDropout: option(z.number().min(0).lt(1).default(0), {
    description: "share of the adapters' inputs that is dropped in training",
    group: adapters,
    value: 'share',
  }),
  loraTargets: option(z.array(z.string().min(1)).min(1).default(['all-linear']), {
    description: 'layers with an adapter, by name as in q_proj,v_proj, or all-linear',
    group: adapters,
    value: 'layers',
  }),
  loraLayers: option(
    z
      .array(
        z.coerce
          .string()
          .regex(/^\d+(-\d+)?$/, 'expected a layer or a range of layers, as in 20 or 20-29'),
      )
      .min(1)
      .nullable()
      .default(null),
    {
      description:
        'layers with an adapter, by number from 0, as in 20-29 or 0,4,8; none: every layer. Below the first nothing is computed backward',
      group: adapters,
      value: 'numbers',
    },
  ),
  adapter: option(z.string().min(1).nullable().default(null), {
    description: "train this adapter (a folder in PEFT's format) on; takes its rank and targets",
    group: adapters,
    value: 'folder',
  }),
  evalSteps: option(z.number().int().min(1).nullable().default(null), {
    description: 'optimizer steps between evaluations; none: before the first and after the last',
    group: following,
  }),
  saveSteps: option(z.number().int().min(1).nullable().default(100), {
    description: 'optimizer steps between checkpoints; none: only the result',
    group: following,
  }),
  saveTotalLimit: option(z.number().int().min(1).nullable().default(2), {
    description: 'newest checkpoints that are kept; none: all',
    group: following,
  }),
  logEvery: option(z.number().int().min(1).default(1), {
    description: 'optimizer steps between lines of metrics',
    group: following,
  }),
  gradientCheckpointing: option(z.enum(['auto', 'on', 'off']).default('auto'), {
    description:
      'compute activations again in backward instead of keeping them: less memory, more time, the same gradient; auto: where a pass does not fit in free memory',
    group: machine,
  }),
  precision: option(z.enum(['auto', 'fp32', 'bf16']).default('auto'), {
    description:
      'of base weights and matrix products; auto: bf16 with LoRA where the machine has it fast, else fp32',
    group: machine,
  }),
  device: option(
    z
      .string()
      .regex(/^(auto|cpu|cuda(:\d+)?)$/, 'expected auto, cpu, cuda or cuda:N')
      .default('auto'),
    {
      description: 'auto, cpu, cuda or cuda:N; auto: the accelerator where there is one',
      group: machine,
      value: 'device',
    },
  ),
  threads: option(z.number().int().min(1).nullable().default(null), {
    description: 'threads of an operator on the CPU; none: one for each core',
    group: machine,
  }),
  resume: option(z.boolean().default(false), {
    description: "go on from the newest checkpoint in the run's folder, bit for bit",
    group: call,
    flagOnly: true,
  }),
  overwrite: option(z.boolean().default(false), {
    description: "throw away what is in the run's folder and begin anew",
    group: call,
    flagOnly: true,
  }),
  profile: option(z.string().nullable().default(null), {
    description:
      "write a trace of some steps (operators, phases, memory) for chrome://tracing and Perfetto; without a file: the run's profile.json",
    group: call,
    value: 'file',
    flagOnly: true,
    bare: '',
  }),
  profileSteps: option(
    z
      .string()
      .refine((text) => parseProfileSteps(text) !== null, 'expected a step or two, as 3 or 2-4')
      .default('2-4'),
    {
      description: 'steps of this call, counted from 1, that --profile traces',
      group: call,
      value: 'first-last',
      flagOnly: true,
    },
  ),
  config: option(z.string().min(1).nullable().default(null), {
    description: 'YAML file of options in snake_case; flags win over it',
    group: call,
    value: 'file',
    flagOnly: true,
  }),
  json: option(z.boolean().default(false), {
    description: 'one JSON object a line on stdout and nothing else',
    group: call,
    flagOnly: true,
  }),
};

const trainingObject = z.strictObject(trainingShape);
type ParsedTraining = z.output<typeof trainingObject>;

/** Options of every training verb, after the defaults that depend on others were filled in. */
export type TrainingOptions = Omit<ParsedTraining, 'learningRate'> & { learningRate: number };

/** Options of which one replaces the other. */
export const trainingExclusive = [['microBatchSize', 'microBatchTokens']] as const;

/**
 * What no single option can say of itself. For `.check(...)` on a verb's object: adds an issue for
 * each pair of options that contradict each other.
 */
export function checkTraining(context: {
  value: Pick<
    ParsedTraining,
    'microBatchSize' | 'microBatchTokens' | 'batchSize' | 'resume' | 'overwrite'
  >;
  issues: z.core.$ZodRawIssue[];
}): void {
  const { value, issues } = context;
  const add = (name: string, message: string): void => {
    issues.push({ code: 'custom', path: [name], message, input: value });
  };
  if (value.microBatchSize !== null && typeof value.microBatchTokens === 'number') {
    add('microBatchTokens', 'give --micro-batch-size or --micro-batch-tokens, not both');
  }
  if (value.microBatchSize !== null && value.microBatchSize > value.batchSize) {
    add(
      'microBatchSize',
      `${value.microBatchSize} rows are more than the ${value.batchSize} of --batch-size`,
    );
  }
  if (value.resume && value.overwrite) {
    add(
      'overwrite',
      '--resume goes on with a run and --overwrite throws it away; give one of them',
    );
  }
}

/** Learning rates where none is given. */
export interface DefaultRates {
  full: number;
  lora: number;
}

/**
 * An adapter learns well at about ten times the rate of full fine-tuning, and TRL's rate for full
 * DPO is 1e-6.
 */
const preferenceRates: DefaultRates = { full: 1e-6, lora: 1e-5 };

/** Fills in the defaults that depend on other options. */
export function completeTraining<Parsed extends ParsedTraining>(
  parsed: Parsed,
  rates: DefaultRates = preferenceRates,
): Parsed & { learningRate: number } {
  const lora = parsed.lora || parsed.adapter !== null;
  const byTokens = parsed.microBatchSize === null;
  return {
    ...parsed,
    lora,
    learningRate: parsed.learningRate ?? (lora ? rates.lora : rates.full),
    microBatchTokens: byTokens ? (parsed.microBatchTokens ?? 'auto') : null,
  };
}

/** --learning-rate of a verb with rates of its own. */
export const learningRateOf = ({ full, lora }: DefaultRates) =>
  option(trainingShape.learningRate, {
    description: `highest learning rate; none: ${full} for full fine-tuning, ${lora} with LoRA`,
    group: optimisation,
    value: 'rate',
  });

/**
 * Options of a training verb, completed by nothing but what all share.
 * @param rates learning rates where none is given
 */
export function defineTraining<Schema extends z.ZodObject>(
  verb: string,
  schema: Schema & (z.output<Schema> extends ParsedTraining ? unknown : never),
  rates: DefaultRates = preferenceRates,
): OptionsDefinition<Schema, z.output<Schema> & { learningRate: number }> {
  // What the parameter's type says, TypeScript does not carry into the body.
  const exclusive = trainingExclusive as unknown as readonly (readonly (keyof z.output<Schema> &
    string)[])[];
  const complete = (parsed: z.output<Schema>) =>
    completeTraining(parsed as z.output<Schema> & ParsedTraining, rates);
  return defineOptions(verb, schema, { complete, exclusive });
}
