import { z } from 'zod';
import { sampleShape } from '../../config/following-options.ts';
import { defineOptions, option, variant } from '../../config/options.ts';
import {
  checkTraining,
  completeTraining,
  learningRateOf,
  preferenceRates,
  trainingExclusive,
  trainingShape,
} from '../../config/training-options.ts';
import { DEFAULT_BETA } from '../../objectives/mixture.ts';
import {
  checkObjectiveOptions,
  completeObjectiveOptions,
  hasNoBeta,
  isCoupled,
  type ObjectiveTraits,
  objectiveOptionsShape,
  shownBetas,
  traitsOf,
} from '../../objectives/objective-options.ts';
import { ratesOf, shownExceptions } from '../../objectives/objective-rates.ts';
import { pairedOtherNames } from '../../objectives/other-names.ts';
import { rankedObjectiveNames } from '../../objectives/ranked-names.ts';
import { checkReferenceSync, referenceSyncShape } from '../online/reference-sync-options.ts';
import { betaSchedules } from './beta-schedule.ts';
import { checkPairing, pairingShape } from './pairing-options.ts';

const objective = 'Objective';

/**
 * Schema of `keel dpo`.
 * @param objectives names that --loss takes; null allows any
 * @param ownObjective whether the program passes an objective instead of the one that --loss names
 */
const dpoObject = (objectives: readonly string[] | null, ownObjective: boolean) =>
  z
    .strictObject({
      ...trainingShape,
      ...sampleShape,
      learningRate: learningRateOf(preferenceRates, shownExceptions()),
      data: variant(trainingShape.data, {
        description:
          'pairs or rankings: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
      }),
      loss: option(z.array(lossName(objectives)).min(1).default(['sigmoid']), {
        description: 'objective, or several that are added with --loss-weights',
        group: objective,
        value: 'name',
        common: true,
        otherNames: pairedOtherNames,
      }),
      lossWeights: option(z.array(z.number()).nullable().default(null), {
        description: 'weight of each --loss, in the same order',
        group: objective,
        value: 'weight',
        shownDefault: '1 each',
      }),
      beta: option(z.number().positive().nullable().default(null), {
        description:
          "KL strength, or the objective's equivalent; larger keeps the policy closer to the reference",
        group: objective,
        common: true,
        shownDefault: shownBetas(),
      }),
      betaSchedule: option(z.enum(betaSchedules).default('constant'), {
        description: 'schedule of beta over the optimizer steps, from --beta to --beta-final',
        group: objective,
      }),
      betaFinal: option(z.number().positive().nullable().default(null), {
        description: 'beta at the last step, for --beta-schedule linear or cosine',
        group: objective,
        value: 'beta',
      }),
      betaField: option(z.string().min(1).nullable().default(null), {
        description: 'field of a row that holds its own beta; rows without it use --beta',
        group: objective,
        value: 'field',
        shownDefault: 'all rows use --beta',
      }),
      reference: option(z.string().min(1).default('initial'), {
        description: 'reference model: initial (the model before training), another model, or none',
        group: 'KL and reference',
        reads: 'model',
        common: true,
      }),
      precomputeReference: option(z.boolean().nullable().default(null), {
        description: "compute the reference's log-probabilities before training and cache them",
        group: 'KL and reference',
        shownDefault: 'on if the reference would be a second model in memory',
      }),
      ...pairingShape,
      ...referenceSyncShape('KL and reference'),
      ...objectiveOptionsShape,
    })
    .check((context) => {
      checkTraining(context);
      const { loss, lossWeights } = context.value;
      const add = (name: string, message: string): void => {
        context.issues.push({ code: 'custom', path: [name], message, input: context.value });
      };
      checkObjectiveOptions(context.value, add);
      checkPairing(context.value, add);
      checkBetaSchedule(context.value, add);
      checkBetaField(context.value, add);
      checkReferenceSync(context.value, add);
      checkMovingReference(context.value, add);
      if (!ownObjective) checkNamedObjective(context.value, add);
      if (lossWeights !== null && lossWeights.length !== loss.length) {
        add(
          'lossWeights',
          `expected ${loss.length}, one per objective (${loss.join(', ')}), found ${lossWeights.length}`,
        );
      } else if (lossWeights?.every((weight) => weight === 0)) {
        add(
          'lossWeights',
          'all weights are 0, so nothing would be trained. Set one of them above 0',
        );
      }
    });

/** Adds an issue if the schedule of beta is incomplete, or if there is not exactly one beta. */
function checkBetaSchedule(
  {
    betaSchedule,
    betaFinal,
    loss,
  }: { betaSchedule: string; betaFinal: number | null; loss: readonly string[] },
  add: (name: string, message: string) => void,
): void {
  if (betaSchedule === 'constant') {
    if (betaFinal !== null)
      add('betaFinal', 'has no effect with --beta-schedule constant. Pass linear or cosine');
    return;
  }
  if (betaFinal === null) add('betaFinal', `is required with --beta-schedule ${betaSchedule}`);
  if (loss.length > 1) {
    add(
      'betaSchedule',
      `needs a single objective: ${loss.join(', ')} have a beta each. Pass one --loss`,
    );
  }
  if (loss.some((name) => hasNoBeta(name)))
    add('betaSchedule', `the objective ${loss.join(', ')} has no beta. Remove the option`);
}

/** Adds an issue if rows cannot have their own beta. */
function checkBetaField(
  {
    betaField,
    betaSchedule,
    loss,
  }: { betaField: string | null; betaSchedule: string; loss: readonly string[] },
  add: (name: string, message: string) => void,
): void {
  if (betaField === null) return;
  const [name, ...others] = loss;
  const ranked = rankedObjectiveNames.includes(name!);
  if (others.length > 0)
    add(
      'betaField',
      `needs a single objective: ${loss.join(', ')} have a beta each. Pass one --loss`,
    );
  else if (hasNoBeta(name!))
    add('betaField', `the objective ${name} has no beta. Remove the option`);
  else if (ranked || isCoupled(name!)) {
    const what = ranked ? 'rankings' : 'the pairs of a step with one another';
    add(
      'betaField',
      `the objective ${name} compares ${what}, with one beta for all. Remove the option`,
    );
  }
  if (betaSchedule !== 'constant')
    add(
      'betaField',
      'cannot be combined with --beta-schedule, which changes the beta of all rows. Remove one of them',
    );
}

/** A moving reference starts as a copy of the policy, and its scores cannot be precomputed. */
function checkMovingReference(
  value: {
    referenceSyncSteps: number | null;
    reference: string;
    precomputeReference: boolean | null;
  },
  add: (name: string, message: string) => void,
): void {
  if (value.referenceSyncSteps === null) return;
  if (value.reference !== 'initial') {
    add(
      'referenceSyncSteps',
      `needs a reference that starts as a copy of the policy; --reference ${value.reference} does not. Remove one of them`,
    );
  }
  if (value.precomputeReference === true) {
    add(
      'precomputeReference',
      'the scores of a moving reference (--reference-sync-steps) cannot be computed in advance. Remove one of the two options',
    );
  }
}

interface ReferenceUse {
  reference: string;
  referenceSyncSteps: number | null;
  dropBelowMargin: number | null;
}

/** Adds an issue for each option that contradicts how the objective uses the reference. */
export function checkReferenceUse(
  { name, needsReference, coupled = false }: ObjectiveTraits,
  { reference, referenceSyncSteps, dropBelowMargin }: ReferenceUse,
  add: (name: string, message: string) => void,
): void {
  if (needsReference && reference === 'none') {
    add('reference', `the objective ${name} compares with a reference. Remove --reference none`);
  }
  if (!needsReference && referenceSyncSteps !== null) {
    add(
      'referenceSyncSteps',
      `the objective ${name} has no reference to update. Remove the option`,
    );
  }
  if (dropBelowMargin === null) return;
  if (coupled) {
    add(
      'dropBelowMargin',
      `the objective ${name} compares all pairs of a step, so none can be ignored. Remove the option`,
    );
  } else if (!needsReference) {
    add(
      'dropBelowMargin',
      `the objective ${name} has no reference and so no implicit reward. Remove the option`,
    );
  }
}

/** {@link checkReferenceUse} for objectives of the registry and those on whole rankings. */
function checkNamedObjective(
  value: ReferenceUse & { loss: readonly string[] },
  add: (name: string, message: string) => void,
): void {
  const ranked = value.loss.find((name) => rankedObjectiveNames.includes(name));
  if (ranked === undefined) {
    const traits = traitsOf(value.loss);
    if (traits !== null) checkReferenceUse(traits, value, add);
    return;
  }
  checkReferenceUse(
    { name: ranked, needsReference: true },
    { ...value, dropBelowMargin: null },
    add,
  );
  if (value.referenceSyncSteps !== null) {
    add(
      'referenceSyncSteps',
      `the reference of ${ranked} never changes. Remove the option, or train on pairs of the rankings (--ranking-pairs)`,
    );
  }
}

function lossName(objectives: readonly string[] | null): z.ZodType<string> {
  return objectives ? z.enum(objectives as [string, ...string[]]) : z.string().min(1);
}

/**
 * Options of `keel dpo`.
 *
 * @param objectives names of the registered objectives: --loss takes only these, and --help lists
 * them; null allows any name
 * @param ownObjective whether the program passes an objective instead of the one that --loss names
 */
export function defineDpoOptions(
  objectives: readonly string[] | null = null,
  ownObjective = false,
) {
  return defineOptions('dpo', dpoObject(objectives, ownObjective), {
    complete: (parsed) => {
      const rates = ratesOf(parsed.loss, preferenceRates);
      const completed = completeObjectiveOptions(completeTraining(parsed, rates));
      const ranked = parsed.loss.some((name) => rankedObjectiveNames.includes(name));
      const sameBase = completed.lora && completed.reference === 'initial';
      return {
        ...completed,
        beta: completed.beta ?? (ranked ? DEFAULT_BETA : null),
        lossWeights: completed.lossWeights ?? completed.loss.map(() => 1),
        precomputeReference:
          completed.precomputeReference ?? (!sameBase && completed.reference !== 'none'),
      };
    },
    exclusive: trainingExclusive,
  });
}

/** Options of a DPO run, with every default filled in. */
export type DpoOptions = ReturnType<ReturnType<typeof defineDpoOptions>['complete']>;
