// What a run is going to do, as plain data. A run reports it before its first step; with --dry-run,
// a run does nothing else.
import {
  type BasePrecision,
  freeBytes,
  type LanguageModel,
  linearLayers,
  namedWeights,
  type StoredWeights,
} from '@keel/model';
import { dtypeBytes, type ScheduleName, type Tensor, threads } from '@keel/torch';
import type { TrainingOptions } from '../config/training-options.ts';
import { listCheckpoints } from '../runs/checkpoints.ts';
import { formatBytes } from '../runs/progress.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { workers } from '../sharing/workers.ts';
import type { PassPlan } from './pass-plan.ts';
import type { Policy } from './policy.ts';
import type { Notice } from './run-data.ts';
import type { AnySource } from './tokenised-source.ts';

/** What a method adds to the plan of its runs, such as its reference. */
export interface PlanFact {
  /** One word: `reference`, `reward`, `objective`. */
  name: string;
  /** For people: a phrase. */
  text: string;
  /** For programs: plain JSON. */
  data: Readonly<Record<string, unknown>>;
  /** Bytes that it adds to every checkpoint (default: 0). */
  checkpointBytes?: number;
}

export interface ModelFacts {
  name: string;
  /** config.json's model_type. */
  family: string;
  /** Without adapters and heads. */
  parameters: number;
  /** null for a model that is not from files. */
  stored: StoredWeights | null;
  /** How its frozen matrices are held; null: in the type of products. */
  basePrecision: BasePrecision | null;
}

export const modelFacts = (model: LanguageModel): ModelFacts => ({
  ...{ name: model.name, stored: model.stored, basePrecision: model.basePrecision },
  family: model.decoder.config.family,
  parameters: elements(namedWeights(model.decoder)),
});

export interface RunPlan {
  verb: string;
  dryRun: boolean;
  model: ModelFacts;
  trained: {
    parameters: number;
    /** Share of all parameters, including those of adapters and heads. */
    share: number;
    /** null for full fine-tuning. */
    adapter: AdapterShape | null;
  };
  rows: {
    /** What `--data` has: rows, or prompts of an online method. */
    kind: 'rows' | 'prompts';
    /** Usable ones. */
    training: number;
    skipped: number;
    /** null without --eval-data. */
    heldOut: number | null;
  };
  steps: {
    total: number;
    /** Finished steps: above 0 where the run is resumed. */
    done: number;
    /** Passes over the rows in all of these steps. */
    epochs: number;
    /** Rows of a step; of an online method, prompts of a rollout batch. */
    batchSize: number;
    /** Optimizer steps on each batch. */
    perBatch: number;
  };
  /** How a step's rows are split: the most rows or tokens of a pass. */
  passes: { rows: number | null; tokens: number | null };
  learningRate: { peak: number; scheduler: ScheduleName; warmupSteps: number };
  machine: {
    precision: 'fp32' | 'bf16';
    device: string;
    threads: number;
    /** That train together; absent for one. */
    processes?: number;
  };
  output: string;
  checkpoints: CheckpointPlan;
  /** Of the method. */
  facts: readonly PlanFact[];
}

export interface AdapterShape {
  rank: number;
  /** Ends of the names of the adapted modules, as in `q_proj`. */
  modules: string[];
  /** Whether these are all linear layers except the head. */
  allLinear: boolean;
  /** Number of adapted layers, and of all layers. */
  layers: number;
  ofLayers: number;
  /** The adapter that is trained further; null: a new one. */
  from: string | null;
}

export interface CheckpointPlan {
  /** Steps between them; null: none is saved. */
  every: number | null;
  /** Checkpoints on disk at the end of the run. */
  count: number;
  /** About, of each. */
  bytesEach: number;
  /** About, of the result in final/. */
  resultBytes: number;
  /**
   * About: the most that the run adds to the disk, including a checkpoint that is being written.
   */
  neededBytes: number;
  /** On the disk of the output folder; null where the system does not report it. */
  freeBytes: number | null;
}

export interface PlannedRun {
  verb: string;
  options: TrainingOptions;
  policy: Policy;
  rowKind: string;
  source: AnySource;
  evaluation: AnySource | null;
  passes: PassPlan;
  run: RunFolder;
  steps: number;
  perBatch: number;
  facts: readonly PlanFact[];
}

/**
 * Describes a run, and reports it if its checkpoints do not fit on the disk.
 * @param free bytes on the disk of the output folder (default: measured)
 */
export async function planRun(
  planned: PlannedRun,
  notice: Notice,
  { free = freeBytes(planned.run.path) }: { free?: number | null } = {},
): Promise<RunPlan> {
  const { verb, options, policy, source, evaluation, passes, run, facts } = planned;
  const { model } = policy;
  const { parameters: base } = modelFacts(model);
  const trained = elements(policy.parameters);
  const { batchSize } = options;
  const done = run.resumed ? ((await run.latestCheckpoint())?.step ?? 0) : 0;
  const seen = (planned.steps / planned.perBatch) * batchSize;
  const checkpoints = await planCheckpoints(planned, done, free);
  const plan: RunPlan = {
    verb,
    dryRun: options.dryRun,
    model: modelFacts(model),
    trained: {
      parameters: trained,
      share: trained / (options.lora ? base + trained : Math.max(base, trained)),
      adapter: options.lora ? adapterShape(policy, options.adapter) : null,
    },
    rows: {
      kind: planned.rowKind === 'prompt' ? 'prompts' : 'rows',
      training: source.usable,
      skipped: source.leftOut,
      heldOut: evaluation?.usable ?? null,
    },
    steps: {
      total: planned.steps,
      done,
      epochs: Number((seen / source.usable).toPrecision(3)),
      batchSize,
      perBatch: planned.perBatch,
    },
    passes: passes.limit,
    learningRate: {
      peak: options.learningRate,
      scheduler: options.scheduler,
      warmupSteps: options.warmupSteps,
    },
    machine: {
      precision: policy.precision,
      device: model.device,
      threads: threads(),
      ...(workers() && { processes: workers()!.size }),
    },
    output: run.path,
    checkpoints,
    facts,
  };
  if (checkpoints.freeBytes !== null && checkpoints.neededBytes > checkpoints.freeBytes) {
    notice(shortOfDisk(plan), 'disk space');
  }
  return plan;
}

const elements = (tensors: ReadonlyMap<string, Tensor>): number =>
  [...tensors.values()].reduce((sum, { size }) => sum + size, 0);

/** From names such as `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`. */
function adapterShape(
  { model, parameters }: Pick<Policy, 'model' | 'parameters'>,
  from: string | null,
): AdapterShape {
  const matrices = [...parameters].flatMap(([name, { shape }]) => {
    const [, layer, module] = /\.(\d+)\.(?:.*\.)?([^.]+)\.lora_A\.weight$/.exec(name) ?? [];
    return module === undefined ? [] : [{ layer, module, rank: shape[0]! }];
  });
  const modules = [...new Set(matrices.map(({ module }) => module))];
  const linear = new Set(linearLayers(model.decoder).map(({ name }) => name.split('.').at(-1)!));
  return {
    rank: Math.max(0, ...matrices.map(({ rank }) => rank)),
    modules,
    allLinear: modules.length === linear.size,
    layers: new Set(matrices.map(({ layer }) => layer)).size,
    ofLayers: model.decoder.config.layers.length,
    from,
  };
}

/**
 * Values per parameter in a checkpoint's state, in its type: the weight and AdamW's two moments.
 */
const STATE_COPIES = 3;

async function planCheckpoints(
  { options, policy, run, steps, facts }: PlannedRun,
  done: number,
  free: number | null,
): Promise<CheckpointPlan> {
  const { saveSteps: every, saveTotalLimit } = options;
  const state = [...policy.parameters.values()].reduce(
    (sum, { size, dtype }) => sum + STATE_COPIES * dtypeBytes(dtype) * size,
    0,
  );
  const ofFacts = facts.reduce((sum, { checkpointBytes = 0 }) => sum + checkpointBytes, 0);
  const resultBytes = policy.weightBytes();
  const bytesEach = resultBytes + state + ofFacts;
  const existing = run.resumed ? (await listCheckpoints(run.checkpointsPath)).length : 0;
  const limit = saveTotalLimit ?? Number.POSITIVE_INFINITY;
  const saved = every === null ? 0 : savesBetween(done, steps, every);
  const count = Math.min(limit, existing + saved);
  // Old checkpoints are removed after a new one has been written.
  const most = saved === 0 ? 0 : Math.min(saved, Math.max(0, limit - existing) + 1);
  return {
    every,
    count,
    bytesEach,
    resultBytes,
    neededBytes: most * bytesEach + resultBytes,
    freeBytes: free,
  };
}

/** Checkpoints at every multiple of `every` after `done`, and after the last step. */
const savesBetween = (done: number, steps: number, every: number): number =>
  Math.max(0, Math.floor(steps / every) - Math.floor(done / every)) +
  (steps > done && steps % every !== 0 ? 1 : 0);

function shortOfDisk({ output, checkpoints, steps }: RunPlan): string {
  const { bytesEach, resultBytes, neededBytes, freeBytes: free } = checkpoints;
  return (
    `${output}: the disk may become full. Checkpoints of about ${formatBytes(bytesEach)} and the result of about ${formatBytes(resultBytes)} ` +
    `take up to ${formatBytes(neededBytes)} in ${steps.total - steps.done} steps, and ${formatBytes(free!)} are free. Free some space, ` +
    'pass a smaller --save-total-limit or --save-steps none, or another --output'
  );
}
