// A whole run on pairs, from options to final/: what `keel dpo` and the library's `alignPairs` are.
import { type DpoOptions, defineDpoOptions } from '../config/dpo-options.ts';
import type { PairedObjective } from '../objectives/paired.ts';
import {
  pairedObjective,
  pairedObjectiveNames,
  weightedObjective,
} from '../objectives/registry.ts';
import { type DpoReferences, openReferences, refuseMissingReference } from './dpo-reference.ts';
import { PairSource } from './pair-source.ts';
import { PairedTask } from './paired-task.ts';
import {
  type PreparedRun,
  type RunHooks,
  type RunResult,
  runTraining,
  type TrainingKind,
} from './run-training.ts';

export interface PairedRunHooks extends RunHooks {
  /** In place of the one that `loss` names. */
  objective?: PairedObjective;
}

/** Options of a run on pairs: only `data` and `output` have no default. */
export type AlignPairsOptions = Partial<DpoOptions> & Pick<DpoOptions, 'data' | 'output'>;

/**
 * Aligns a model on preference pairs (DPO by default): the library's form of `keel dpo`.
 * @throws Error as {@link runDpo} does, and when an option is out of range
 */
export async function alignPairs(
  options: AlignPairsOptions,
  hooks: PairedRunHooks = {},
): Promise<RunResult> {
  const definition = defineDpoOptions(pairedObjectiveNames);
  return runDpo(definition.complete(definition.schema.parse(options)), hooks);
}

/**
 * Runs DPO from complete options.
 * @throws DataError, CheckpointError, NonFiniteLossError, Error as {@link runTraining} does
 */
export async function runDpo(asked: DpoOptions, hooks: PairedRunHooks = {}): Promise<RunResult> {
  const { objective = objectiveOf(asked) } = hooks;
  // config.yaml names the objective that the run has.
  const options = hooks.objective ? { ...asked, loss: [objective.name], lossWeights: [1] } : asked;
  if (objective.needsReference) refuseMissingReference(options);
  return runTraining(onPairs(objective), options, hooks);
}

type PreparedPairs = PreparedRun<DpoOptions, 'preference', PairSource>;

const onPairs = (
  objective: PairedObjective,
): TrainingKind<DpoOptions, 'preference', PairSource> => ({
  definition: defineDpoOptions(),
  rowKind: 'preference',
  source: (rows, tokenizer, how) => new PairSource(rows, tokenizer, how),
  async task(prepared) {
    const { options, policy, source, evaluation, passes } = prepared;
    const references = objective.needsReference ? await referencesOf(prepared) : null;
    return new PairedTask({
      model: policy.model,
      role: policy.role,
      source,
      evaluation,
      objective,
      objectiveOptions: { beta: options.beta, labelSmoothing: options.labelSmoothing },
      batchSize: options.batchSize,
      ...passes,
      reference: references?.training ?? null,
      evaluationReference: references?.evaluation ?? null,
    });
  },
  headlines: [
    {
      label: 'Held-out preference accuracy',
      metric: 'eval_rewards/accuracies',
      unit: 'share',
      better: 'higher',
    },
    {
      label: 'Held-out reward margin',
      metric: 'eval_rewards/margins',
      unit: 'number',
      better: 'higher',
    },
    { label: 'Held-out loss', metric: 'eval_loss', unit: 'number', better: 'lower' },
  ],
});

async function referencesOf(prepared: PreparedPairs): Promise<DpoReferences> {
  const { options, policy, data, source, evaluation, passes, addInput, notice } = prepared;
  const references = await openReferences(
    policy,
    options,
    { pairs: source, rows: data.rows, heldOut: false },
    evaluation && { pairs: evaluation, rows: data.heldOut!, heldOut: true },
    { batchSize: options.batchSize, limit: passes.limit },
    notice,
  );
  if (references.hash !== null) {
    await addInput('--reference', [{ name: options.reference, sha256: references.hash }]);
  }
  return references;
}

function objectiveOf({ loss, lossWeights }: DpoOptions): PairedObjective {
  return weightedObjective(
    loss.map((name, index) => ({
      objective: pairedObjective(name),
      weight: lossWeights[index] ?? 1,
    })),
  );
}
