import { z } from 'zod';
import { type BestOptions, bestShape, checkBest, type SampleOptions } from './following-options.ts';
import { defineOptions, type OptionsDefinition, option, variant } from './options.ts';
import { parseProfileSteps } from './profile-steps.ts';
import { rowReadingShape } from './row-options.ts';
import { templateShape } from './template-options.ts';

/** The default of --model. */
export const DEFAULT_MODEL = 'SmolLM2-135M-Instruct';

/** Default learning rates. */
export interface DefaultRates {
  full: number;
  lora: number;
}

/**
 * TRL's rate for full DPO is 1e-6. With LoRA, published rates are from 5e-6 to 1e-4: this one moves
 * a policy visibly in tens of steps, as docs/results/default-rates.md shows.
 */
export const preferenceRates: DefaultRates = { full: 1e-6, lora: 1e-4 };

const shownRates = ({ full, lora }: DefaultRates): string =>
  `${full.toExponential()} for full fine-tuning, ${lora.toExponential()} with LoRA`;

const data = 'Model and data';
const optimisation = 'Optimisation';
const batching = 'Batching and length';
const adapters = 'LoRA';
const following = 'Evaluation and checkpoints';
const machine = 'Machine';
const call = 'Command line only';

/** Whether a range of layers, such as `20-29`, ends at or after its start. */
function isRising(range: string): boolean {
  const [first, last = first] = range.split('-').map(Number);
  return !(last! < first!);
}

/** Options of every training verb. */
export const trainingShape = {
  model: option(z.string().min(1).default(DEFAULT_MODEL), {
    description: 'model to start from: a folder, a GGUF file or hub:owner/name[@revision]',
    group: data,
    reads: 'model',
    common: true,
  }),
  ...templateShape(data),
  data: option(z.array(z.string().min(1)).min(1), {
    description: 'training rows: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    group: data,
    reads: 'rows',
  }),
  evalData: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description: 'held-out rows to evaluate on',
    group: data,
    reads: 'rows',
    common: true,
    shownDefault: 'no evaluation',
  }),
  output: option(z.string().min(1), {
    description: "the run's folder, for example runs/first",
    group: data,
    value: 'folder',
  }),
  onBadRow: option(z.enum(['fail', 'skip']).default('fail'), {
    description: 'what to do with an invalid row: stop, or skip, count and list it',
    group: data,
  }),
  ...rowReadingShape(data),
  learningRate: option(z.number().positive().nullable().default(null), {
    description: 'peak learning rate',
    group: optimisation,
    value: 'rate',
    common: true,
    shownDefault: shownRates(preferenceRates),
  }),
  scheduler: option(z.enum(['constant', 'linear', 'cosine']).default('linear'), {
    description: 'learning-rate schedule after the warm-up; linear and cosine end at zero',
    group: optimisation,
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
    description: 'clip the global gradient norm to this; none: no clipping',
    group: optimisation,
    value: 'norm',
  }),
  epochs: option(z.number().positive().default(1), {
    description: 'passes over the training rows; may be a fraction',
    group: optimisation,
    common: true,
  }),
  maxSteps: option(z.number().int().min(1).nullable().default(null), {
    description: 'total number of optimizer steps; overrides --epochs',
    group: optimisation,
    shownDefault: 'set by --epochs',
  }),
  batchSize: option(z.number().int().min(1).default(8), {
    description: 'rows per optimizer step',
    group: batching,
    value: 'rows',
    common: true,
  }),
  microBatchSize: option(z.number().int().min(1).nullable().default(null), {
    description: 'rows per forward and backward pass; affects speed and memory, not the gradient',
    group: batching,
    value: 'rows',
    shownDefault: 'set by --micro-batch-tokens',
  }),
  microBatchTokens: option(
    z
      .union([z.number().int().min(1), z.enum(['auto'])])
      .nullable()
      .default(null),
    {
      description:
        'maximum tokens per pass, counting a shared prompt once (instead of --micro-batch-size); auto: as many as fit in free memory',
      group: batching,
      value: 'tokens',
      shownDefault: 'auto',
    },
  ),
  maxLength: option(z.number().int().min(2).nullable().default(1024), {
    description: 'maximum tokens of prompt plus answer; longer rows are truncated; none: no limit',
    group: batching,
    value: 'tokens',
    common: true,
  }),
  shuffle: option(z.boolean().default(true), {
    description: 'shuffle the rows in every epoch, seeded by --seed',
    group: batching,
  }),
  seed: option(z.number().int().min(0).default(42), {
    description: 'seed for the row order, LoRA initialisation and dropout',
    group: batching,
  }),
  lora: option(z.boolean().default(false), {
    description: 'train LoRA adapters and freeze the model itself',
    group: adapters,
    common: true,
  }),
  loraRank: option(z.number().int().min(1).default(16), {
    description: 'rank of the adapters',
    group: adapters,
    value: 'rank',
  }),
  loraAlpha: option(z.number().positive().default(32), {
    description: 'adapter outputs are scaled by alpha / rank',
    group: adapters,
    value: 'alpha',
  }),
  loraDropout: option(z.number().min(0).lt(1).default(0), {
    description: 'dropout probability on the inputs of the adapters',
    group: adapters,
    value: 'share',
  }),
  loraTargets: option(z.array(z.string().min(1)).min(1).default(['all-linear']), {
    description: 'modules that get an adapter, by name (q_proj,v_proj), or all-linear',
    group: adapters,
    value: 'modules',
  }),
  loraLayers: option(
    z
      .array(
        z.coerce
          .string()
          .regex(/^\d+(-\d+)?$/, 'expected a layer or a range of layers, such as 20 or 20-29')
          .refine(isRising, { error: ({ input }) => `the range ${input} ends before it starts` }),
      )
      .min(1)
      .nullable()
      .default(null),
    {
      description:
        'layers that get an adapter, by number from 0, such as 20-29 or 0,4,8; layers below the first need no backward pass',
      group: adapters,
      value: 'numbers',
      shownDefault: 'all',
    },
  ),
  adapter: option(z.string().min(1).nullable().default(null), {
    description:
      "continue training this adapter (a folder in PEFT's format), with its rank and targets",
    group: adapters,
    reads: 'folder',
    shownDefault: 'a new adapter',
  }),
  evalSteps: option(z.number().int().min(1).nullable().default(null), {
    description: 'optimizer steps between evaluations',
    group: following,
    shownDefault: 'only before the first step and after the last',
  }),
  saveSteps: option(z.number().int().min(1).nullable().default(100), {
    description: 'optimizer steps between checkpoints; none: save only the result',
    group: following,
  }),
  ...bestShape,
  saveTotalLimit: option(z.number().int().min(1).nullable().default(2), {
    description: 'number of checkpoints to keep, newest first; none: all',
    group: following,
  }),
  logEvery: option(z.number().int().min(1).default(1), {
    description: 'optimizer steps between lines of metrics',
    group: following,
  }),
  gradientCheckpointing: option(z.enum(['auto', 'on', 'off']).default('auto'), {
    description:
      'recompute activations in the backward pass: less memory, more time, the same gradient; auto: if a pass does not fit in free memory',
    group: machine,
  }),
  precision: option(z.enum(['auto', 'fp32', 'bf16']).default('auto'), {
    description:
      'precision of base weights and matrix products; auto: bf16 for LoRA on machines with fast bf16, otherwise fp32',
    group: machine,
  }),
  basePrecision: option(z.enum(['auto', 'kept', 'nf4', 'bf16', 'fp32']).default('auto'), {
    description:
      'how frozen base weights are held in memory; kept: in the blocks of their file (a GGUF file takes its own size); nf4: linear layers in 4 bits; auto: as --precision says',
    group: machine,
  }),
  device: option(
    z
      .string()
      .regex(/^(auto|cpu|cuda(:\d+)?)$/, 'expected auto, cpu, cuda or cuda:N')
      .default('auto'),
    {
      description: 'auto, cpu, cuda or cuda:N; auto: a GPU if there is one, otherwise the CPU',
      group: machine,
      value: 'device',
    },
  ),
  threads: option(z.number().int().min(1).nullable().default(null), {
    description: 'CPU threads per operator',
    group: machine,
    shownDefault: 'one per core',
  }),
  shard: option(z.enum(['none', 'optimizer', 'full']).default('none'), {
    description:
      'what several processes divide among themselves to save memory; optimizer: the moments of AdamW (ZeRO-1); full: weights and gradients too (FSDP, ZeRO-3)',
    group: machine,
  }),
  processTimeout: option(z.number().positive().max(86_400).default(1800), {
    description:
      'seconds that a process waits for the slowest one, where several train together (torchrun, srun or keel launch)',
    group: machine,
  }),
  resume: option(z.boolean().default(false), {
    description: "resume from the newest checkpoint in the run's folder, bit for bit",
    group: call,
    flagOnly: true,
    common: true,
  }),
  overwrite: option(z.boolean().default(false), {
    description: "delete what is in the run's folder and start again",
    group: call,
    flagOnly: true,
  }),
  dryRun: option(z.boolean().default(false), {
    description:
      'check data, model, reward and output, and show what the run would do, without running it or writing to --output',
    group: call,
    flagOnly: true,
    common: true,
  }),
  profile: option(z.string().nullable().default(null), {
    description:
      "write a trace of some steps (operators, phases, memory) for chrome://tracing and Perfetto; without a file name: to the run's profile.json",
    group: call,
    value: 'file',
    flagOnly: true,
    bare: '',
    shownDefault: 'no trace',
  }),
  profileSteps: option(
    z
      .string()
      .refine(
        (text) => parseProfileSteps(text) !== null,
        'expected a step or a range of steps, such as 3 or 2-4',
      )
      .default('2-4'),
    {
      description: 'steps that --profile traces, counted from 1 at the start of this command',
      group: call,
      value: 'first-last',
      flagOnly: true,
    },
  ),
  config: option(z.string().min(1).nullable().default(null), {
    description: 'YAML file of options in snake_case; flags override it',
    group: call,
    reads: 'file',
    flagOnly: true,
    common: true,
  }),
  json: option(z.boolean().default(false), {
    description: 'print one JSON object per line on stdout and nothing else',
    group: call,
    flagOnly: true,
  }),
};

const trainingObject = z.strictObject(trainingShape);
type ParsedTraining = z.output<typeof trainingObject>;

/** Options of every training verb, with every default filled in. */
export type TrainingOptions = Omit<ParsedTraining, 'learningRate'> & {
  learningRate: number;
} & Partial<SampleOptions>;

/** Alternatives: a flag for one unsets the other. */
export const trainingExclusive = [['microBatchSize', 'microBatchTokens']] as const;

/**
 * For `.check(...)` on a verb's object: adds an issue for each pair of options that contradict each
 * other.
 */
export function checkTraining(context: {
  value: Pick<
    ParsedTraining,
    | 'microBatchSize'
    | 'microBatchTokens'
    | 'batchSize'
    | 'resume'
    | 'overwrite'
    | 'evalData'
    | 'evalSteps'
  > &
    Partial<BestOptions> & { evalSuites?: unknown };
  issues: z.core.$ZodRawIssue[];
}): void {
  const { value, issues } = context;
  const add = (name: string, message: string): void => {
    issues.push({ code: 'custom', path: [name], message, input: value });
  };
  if (value.microBatchSize !== null && typeof value.microBatchTokens === 'number') {
    add('microBatchTokens', 'pass either --micro-batch-size or --micro-batch-tokens, not both');
  }
  if (value.microBatchSize !== null && value.microBatchSize > value.batchSize) {
    add(
      'microBatchSize',
      `expected at most --batch-size (${value.batchSize}) rows, found ${value.microBatchSize}`,
    );
  }
  checkBest(value, add);
  if (value.resume && value.overwrite) {
    add('overwrite', '--resume continues a run and --overwrite deletes it. Pass one of them');
  }
}

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

/**
 * --learning-rate of a verb with its own default rates.
 * @param exceptions in words: "3e-5 with LoRA for simpo"
 */
export const learningRateOf = (rates: DefaultRates, exceptions: readonly string[] = []) =>
  variant(trainingShape.learningRate, {
    shownDefault: [shownRates(rates), ...exceptions].join('; '),
  });

/**
 * Options of a training verb that adds no defaults depending on other options.
 * @param rates default learning rates
 */
export function defineTraining<Schema extends z.ZodObject>(
  verb: string,
  schema: Schema & (z.output<Schema> extends ParsedTraining ? unknown : never),
  rates: DefaultRates = preferenceRates,
): OptionsDefinition<Schema, z.output<Schema> & { learningRate: number }> {
  // TypeScript does not carry the parameter's type into the body.
  const exclusive = trainingExclusive as unknown as readonly (readonly (keyof z.output<Schema> &
    string)[])[];
  const complete = (parsed: z.output<Schema>) =>
    completeTraining(parsed as z.output<Schema> & ParsedTraining, rates);
  return defineOptions(verb, schema, { complete, exclusive });
}
