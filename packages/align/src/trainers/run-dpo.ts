// A whole run on pairs, from options to final/: what `keel dpo` and the library's `alignPairs` are.
import { type DpoOptions, defineDpoOptions } from '../config/dpo-options.ts';
import { completeOptions, weightedObjective } from '../objectives/mixture.ts';
import type { PairedObjective, PairedOptions } from '../objectives/paired.ts';
import { pairedObjective, pairedObjectiveNames } from '../objectives/registry.ts';

import {
  type DpoReferences,
  openReferences,
  refuseMissingReference,
  refuseNeedlessReference,
} from './dpo-reference.ts';
import { refuseRow } from './fitting-rows.ts';
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
  const beta = options.beta ?? hooks.objective?.beta ?? null;
  return runDpo(definition.complete(definition.schema.parse({ ...options, beta })), hooks);
}

/**
 * Runs DPO from complete options.
 * @throws DataError, CheckpointError, NonFiniteLossError, Error as {@link runTraining} does
 */
export async function runDpo(asked: DpoOptions, hooks: PairedRunHooks = {}): Promise<RunResult> {
  const { objective = objectiveOf(asked) } = hooks;
  const objectiveOptions = lossOptions(objective, asked);
  // config.yaml names the objective that the run has.
  const options = hooks.objective ? { ...asked, loss: [objective.name], lossWeights: [1] } : asked;
  if (objective.needsReference) refuseMissingReference(options);
  else refuseNeedlessReference(options);
  return runTraining(onPairs(objective, objectiveOptions), options, hooks);
}

type PreparedPairs = PreparedRun<DpoOptions, 'preference', PairSource>;

const onPairs = (
  objective: PairedObjective,
  objectiveOptions: PairedOptions,
): TrainingKind<DpoOptions, 'preference', PairSource> => ({
  definition: defineDpoOptions(),
  rowKind: 'preference',
  refuse: refuseRow(objective, objectiveOptions),
  source: (rows, tokenizer, how) => new PairSource(rows, tokenizer, how),
  async task(prepared) {
    const { options, policy, source, evaluation, passes } = prepared;
    const references = objective.needsReference ? await referencesOf(prepared, objective) : null;
    return new PairedTask({
      model: policy.model,
      role: policy.role,
      source,
      evaluation,
      objective,
      objectiveOptions,
      batchSize: options.batchSize,
      ...passes,
      reference: references?.training ?? null,
      evaluationReference: references?.evaluation ?? null,
      movingReference: references?.moving ?? null,
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

async function referencesOf(
  prepared: PreparedPairs,
  { needs = [] }: PairedObjective,
): Promise<DpoReferences> {
  const { options, policy, data, source, evaluation, passes, addInput, notice } = prepared;
  const references = await openReferences(
    policy,
    options,
    { pairs: source, rows: data.rows, heldOut: false },
    evaluation && { pairs: evaluation, rows: data.heldOut!, heldOut: true },
    { batchSize: options.batchSize, limit: passes.limit },
    notice,
    { shared: needs.includes('shared') },
  );
  if (references.hash !== null) {
    await addInput('--reference', [{ name: options.reference, sha256: references.hash }]);
  }
  return references;
}

function objectiveOf(options: DpoOptions): PairedObjective {
  const { loss, lossWeights } = options;
  const several = loss.length > 1;
  return weightedObjective(
    loss.map((name, index) => {
      const objective = pairedObjective(name);
      const part = { objective, weight: lossWeights[index] ?? 1 };
      // Each with a beta and options of its own.
      return several ? { ...part, options: completeOptions(objective, { ...options }) } : part;
    }),
  );
}

/** What the objective's loss takes; metrics have the first one's beta. */
function lossOptions(objective: PairedObjective, options: DpoOptions): PairedOptions {
  const { beta } = completeOptions(pairedObjective(options.loss[0]!), { ...options });
  return { ...options, ...completeOptions(objective, { ...options, beta }) };
}
