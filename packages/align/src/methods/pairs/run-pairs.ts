// A run on preference pairs, from options to final/.

import { kebabCase } from '../../config/case.ts';
import { programPart } from '../../config/program-parts.ts';
import type { RefuseRow } from '../../data/open-rows.ts';
import type { PreferenceRow } from '../../data/rows.ts';
import { withLabelProbabilities } from '../../objectives/label-probabilities.ts';
import type { PairedObjective, PairedOptions } from '../../objectives/paired.ts';
import { pairedObjective } from '../../objectives/registry.ts';
import { withRowBetas } from '../../objectives/row-betas.ts';
import { openReference } from '../../reference/open-reference.ts';
import { type SharedReferences, sharedReferences } from '../../reference/reference-cache.ts';
import { noReference, referenceFact } from '../../reference/reference-fact.ts';
import { RunLabels } from '../../training/label-fact.ts';
import { noticeEvent } from '../../training/run-data.ts';
import {
  type RunHooks,
  type RunResult,
  runTraining,
  type TrainingKind,
} from '../../training/run-training.ts';
import { betaSchedulesOf, courseOf } from './beta-course.ts';
import { chosenObjective } from './chosen-objective.ts';
import { checkReferenceUse, type DpoOptions, defineDpoOptions } from './dpo-options.ts';
import { refuseBeta, refuseRow, refuseSoftLabel, withoutBetas } from './fitting-rows.ts';
import { objectiveFact } from './objective-fact.ts';
import { lengthDifference, openPairs } from './open-pairs.ts';
import { PairSource, pairPacking } from './pair-source.ts';
import { PairedTask } from './paired-task.ts';
import { pairScoring } from './score-pairs.ts';

export interface PairedRunHooks extends RunHooks {
  /** Replaces the one that `loss` names. */
  objective?: PairedObjective;
}

/**
 * Trains on pairs from complete options.
 * @throws DataError, CheckpointError, NonFiniteLossError, Error as {@link runTraining} does
 */
export async function runPairs(asked: DpoOptions, hooks: PairedRunHooks = {}): Promise<RunResult> {
  const { objective: chosen, objectiveOptions } = chosenObjective(asked, hooks.objective);
  const objective = withLabelProbabilities(
    asked.betaField === null ? chosen : withRowBetas(chosen),
  );
  // config.yaml names the run's objective.
  const options = hooks.objective ? { ...asked, loss: [objective.name], lossWeights: [1] } : asked;
  if (hooks.objective) refuseOwnObjective(objective, options);
  const references = sharedReferences(hooks.shared);
  const parts = hooks.objective ? [hooks.objective] : asked.loss.map(pairedObjective);
  try {
    return await runTraining(
      {
        ...onPairs({ objective, objectiveOptions, parts }, options, references),
        ...ofProgram(hooks),
      },
      options,
      hooks,
    );
  } finally {
    references?.save((text) => hooks.onEvent?.(noticeEvent(text)));
  }
}

/** A program's own objective, as the run records it. */
function ofProgram({
  objective,
}: PairedRunHooks): Pick<TrainingKind<DpoOptions, 'preference', PairSource>, 'programParts'> {
  if (objective === undefined) return {};
  return { programParts: { objective: programPart(objective.name, objective) } };
}

interface TrainedObjective {
  objective: PairedObjective;
  objectiveOptions: PairedOptions;
  /** The objectives that it is the sum of. */
  parts: readonly PairedObjective[];
}

function onPairs(
  { objective, objectiveOptions, parts }: TrainedObjective,
  { batchOrder, batchSize, betaField }: DpoOptions,
  shared: SharedReferences | undefined,
): TrainingKind<DpoOptions, 'preference', PairSource> {
  // Of each training row; empty where the order of rows does not depend on them.
  const lengths: number[] = [];
  const labels = new RunLabels();
  return {
    definition: defineDpoOptions(),
    rowKind: 'preference',
    open(spec, options, notice) {
      const refusals = [
        refuseRow(objective, objectiveOptions),
        refuseBeta(betaField),
        refuseSoftLabel(parts),
      ];
      const refuse: RefuseRow<PreferenceRow> = (row) =>
        refusals.map((one) => one(row)).find((fault) => fault !== null) ?? null;
      return openPairs(spec, options, refuse, notice, labels.counter());
    },
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
    facts: ({ options, policy, data }) => [
      objectiveFact(objective, objectiveOptions.beta),
      objective.needsReference
        ? referenceFact(options, policy.parameters)
        : noReference(`${objective.name} needs none`),
      ...labels.facts(data.rows.length),
    ],
    async task(run) {
      const { options, policy, source, evaluation, passes } = run;
      const firstTokens = objective.needs?.includes('shared') ?? false;
      const kind = {
        packing: pairPacking,
        scoring: pairScoring(firstTokens),
        key: { firstTokens },
      };
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
        reference: objective.needsReference ? await openReference(run, kind, shared) : null,
      });
    },
    headlines: [
      {
        label: 'Held-out preference accuracy',
        metric: 'eval_rewards/accuracies',
        count: 'eval_rewards/pairs',
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
 * @throws Error if a program's own objective contradicts an option; for named objectives, the
 *   schema of the options checks this
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
