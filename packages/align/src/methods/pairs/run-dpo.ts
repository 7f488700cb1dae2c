// A whole run on pairs, from options to final/: what `keel dpo` and the library's `alignPairs` are.

import { kebabCase } from '../../config/case.ts';
import { programPart } from '../../config/program-parts.ts';
import { completeOptions, weightedObjective } from '../../objectives/mixture.ts';
import type { PairedObjective, PairedOptions } from '../../objectives/paired.ts';
import { rankedObjectiveNames } from '../../objectives/ranked-names.ts';
import { rankedObjective } from '../../objectives/ranked-registry.ts';
import { pairedObjective, pairedObjectiveNames } from '../../objectives/registry.ts';
import { withRowBetas } from '../../objectives/row-betas.ts';
import { type DpoReferences, openReferences } from '../../reference/dpo-reference.ts';
import type { SharedReferences } from '../../reference/shared-references.ts';
import {
  type PreparedRun,
  type RunHooks,
  type RunResult,
  runTraining,
  type TrainingKind,
} from '../../training/run-training.ts';
import { onRankings } from '../rankings/run-rankings.ts';
import { betaSchedulesOf, courseOf } from './beta-course.ts';
import { checkReferenceUse, type DpoOptions, defineDpoOptions } from './dpo-options.ts';
import { refuseBeta, refuseRow, withoutBetas } from './fitting-rows.ts';
import { lengthDifference, openPairs } from './open-pairs.ts';
import { PairSource } from './pair-source.ts';
import { PairedTask } from './paired-task.ts';

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
  const names = [...pairedObjectiveNames, ...rankedObjectiveNames];
  const definition = defineDpoOptions(names, hooks.objective !== undefined);
  const beta = options.beta ?? hooks.objective?.beta ?? null;
  return runDpo(definition.complete(definition.schema.parse({ ...options, beta })), hooks);
}

/**
 * Runs DPO from complete options.
 * @throws DataError, CheckpointError, NonFiniteLossError, Error as {@link runTraining} does
 */
export async function runDpo(asked: DpoOptions, hooks: PairedRunHooks = {}): Promise<RunResult> {
  const ranked = hooks.objective ? null : rankedObjective(asked.loss[0]!);
  if (ranked !== null) {
    return runTraining(onRankings(ranked), asked, hooks);
  }
  const { objective: chosen = objectiveOf(asked) } = hooks;
  const objective = asked.betaField === null ? chosen : withRowBetas(chosen);
  const objectiveOptions = lossOptions(objective, asked);
  // config.yaml names the objective that the run has.
  const options = hooks.objective ? { ...asked, loss: [objective.name], lossWeights: [1] } : asked;
  if (hooks.objective) refuseOwnObjective(objective, options);
  const references = hooks.shared?.references;
  try {
    return await runTraining(
      { ...onPairs(objective, objectiveOptions, options, references), ...ofProgram(hooks) },
      options,
      hooks,
    );
  } finally {
    references?.save((text) => hooks.onEvent?.({ type: 'notice', text }));
  }
}

/** An objective of the program's own, as the run records it. */
function ofProgram({
  objective,
}: PairedRunHooks): Pick<TrainingKind<DpoOptions, 'preference', PairSource>, 'programParts'> {
  if (objective === undefined) return {};
  return { programParts: { objective: programPart(objective.name, objective) } };
}

type PreparedPairs = PreparedRun<DpoOptions, 'preference', PairSource>;

function onPairs(
  objective: PairedObjective,
  objectiveOptions: PairedOptions,
  { batchOrder, batchSize, betaField }: DpoOptions,
  shared: SharedReferences | undefined,
): TrainingKind<DpoOptions, 'preference', PairSource> {
  // Of each training row; none where their order does not ask for them.
  const lengths: number[] = [];
  return {
    definition: defineDpoOptions(),
    rowKind: 'preference',
    open: (spec, options, notice) =>
      openPairs(
        spec,
        options,
        (row) => refuseRow(objective, objectiveOptions)(row) ?? refuseBeta(betaField)(row),
        notice,
      ),
    async checkRows(rows) {
      const fault = await withoutBetas(rows, betaField);
      if (fault !== null) throw fault;
      if (batchOrder === 'random') return;
      for await (const row of rows.iterate()) lengths.push(lengthDifference(row));
    },
    source: (rows, tokenizer, how) => {
      const strata = how.shuffle && lengths.length > 0 ? { keys: lengths, count: batchSize } : null;
      return new PairSource(rows, tokenizer, { ...how, strata, betaField });
    },
    schedules: (options) => betaSchedulesOf(options, objectiveOptions.beta),
    async task(prepared) {
      const { options, policy, source, evaluation, passes } = prepared;
      const references = objective.needsReference
        ? await referencesOf(prepared, objective, shared)
        : null;
      return new PairedTask({
        model: policy.model,
        role: policy.role,
        source,
        evaluation,
        objective,
        objectiveOptions,
        betaAt: courseOf(options, objectiveOptions.beta, source.usable),
        dropBelowMargin: options.dropBelowMargin,
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
  };
}

/**
 * @throws Error if a program's own objective contradicts an option; for named objectives, the schema
 *   of the options checks this
 */
function refuseOwnObjective(objective: PairedObjective, options: DpoOptions): void {
  const refuse = (option: string, message: string): never => {
    throw new Error(`--${kebabCase(option)}: ${message}`);
  };
  checkReferenceUse(objective, options, refuse);
  if (options.betaField === null) return;
  const { name, beta, coupled } = objective;
  if (beta === null) refuse('betaField', `the objective ${name} has no beta. Remove the option`);
  if (coupled) {
    refuse(
      'betaField',
      `the objective ${name} compares the pairs of a step with one another, with one beta for all. Remove the option`,
    );
  }
}

async function referencesOf(
  prepared: PreparedPairs,
  { needs = [] }: PairedObjective,
  shared: SharedReferences | undefined,
): Promise<DpoReferences> {
  const { options, policy, data, source, evaluation, passes, addInput, notice, signal } = prepared;
  const references = await openReferences(
    policy,
    options,
    { pairs: source, rows: data.rows, heldOut: false },
    evaluation && { pairs: evaluation, rows: data.heldOut!, heldOut: true },
    { batchSize: options.batchSize, limit: passes.limit, signal },
    notice,
    { shared: needs.includes('shared') },
    shared,
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
