import { z } from 'zod';
import { defineOptions, option } from '../../config/options.ts';
import {
  checkTraining,
  completeTraining,
  trainingExclusive,
  trainingShape,
} from '../../config/training-options.ts';
import { DEFAULT_BETA } from '../../objectives/mixture.ts';
import {
  checkObjectiveOptions,
  completeObjectiveOptions,
  hasNoBeta,
  isCoupled,
  objectiveOptionsShape,
  shownBetas,
} from '../../objectives/objective-options.ts';
import { pairedOtherNames } from '../../objectives/other-names.ts';
import { rankedObjectiveNames } from '../../objectives/ranked-names.ts';
import { checkReferenceSync, referenceSyncShape } from '../online/reference-sync-options.ts';
import { betaSchedules } from './beta-schedule.ts';
import { checkPairing, pairingShape } from './pairing-options.ts';

const objective = 'Objective';

/** Schema of `keel dpo`; with names of objectives given, only these are taken for --loss. */
const dpoObject = (objectives: readonly string[] | null) =>
  z
    .strictObject({
      ...trainingShape,
      loss: option(z.array(lossName(objectives)).min(1).default(['sigmoid']), {
        description: 'objective, or several that are added with --loss-weights',
        group: objective,
        value: 'name',
        otherNames: pairedOtherNames,
      }),
      lossWeights: option(z.array(z.number()).nullable().default(null), {
        description: 'weight of each --loss, in the same order; none: 1 each',
        group: objective,
        value: 'weight',
      }),
      beta: option(z.number().positive().nullable().default(null), {
        description:
          "strength of the tie to the reference (larger stays nearer), or what stands for it; none: the objective's own",
        group: objective,
        shownDefault: shownBetas(),
      }),
      betaSchedule: option(z.enum(betaSchedules).default('constant'), {
        description: 'course of beta over the optimizer steps, from --beta to --beta-final',
        group: objective,
        value: 'name',
      }),
      betaFinal: option(z.number().positive().nullable().default(null), {
        description: 'beta of the last step, with --beta-schedule linear or cosine',
        group: objective,
        value: 'beta',
      }),
      betaField: option(z.string().min(1).nullable().default(null), {
        description:
          'field of a row that is its own beta; a row without it has --beta. None: all have --beta',
        group: objective,
        value: 'name',
      }),
      reference: option(z.string().min(1).default('initial'), {
        description:
          'reference model: initial, the model as it is before training; another model; or none, without a reference',
        group: objective,
        value: 'model',
      }),
      precomputeReference: option(z.boolean().nullable().default(null), {
        description:
          "compute the reference's log-probabilities once and keep them; unless told, not for LoRA on its own base, whose reference costs no memory",
        group: objective,
      }),
      ...pairingShape,
      ...referenceSyncShape(objective),
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
      if (lossWeights !== null && lossWeights.length !== loss.length) {
        add(
          'lossWeights',
          `${lossWeights.length} weights for ${loss.length} objectives (${loss.join(', ')})`,
        );
      } else if (lossWeights?.every((weight) => weight === 0)) {
        add('lossWeights', 'every weight is 0: nothing would be learnt');
      }
    });

/** Adds an issue where the course of beta is not told whole, or there is more than one beta. */
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
      add('betaFinal', '--beta-schedule constant has no other beta: give linear or cosine');
    return;
  }
  if (betaFinal === null)
    add('betaFinal', `--beta-schedule ${betaSchedule} goes from --beta to --beta-final: give it`);
  if (loss.length > 1) {
    add('betaSchedule', `${loss.join(', ')} have a beta each: a schedule is for a single --loss`);
  }
  if (loss.some((name) => hasNoBeta(name)))
    add('betaSchedule', `${loss.join(', ')} has no beta: leave it out`);
}

/** Adds an issue where a row cannot have a beta of its own. */
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
    add('betaField', `${loss.join(', ')} have a beta each: rows have one for a single --loss`);
  else if (hasNoBeta(name!)) add('betaField', `${name} has no beta: leave it out`);
  else if (ranked || isCoupled(name!)) {
    const what = ranked ? 'rankings' : 'the pairs of a step with each other';
    add('betaField', `${name} compares ${what}: there is one beta for all`);
  }
  if (betaSchedule !== 'constant')
    add('betaField', 'a schedule moves the beta of all rows: leave --beta-schedule out');
}

/** A reference that moves begins as the policy does, and what it says is never known in advance. */
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
      `it moves a reference that begins as the policy does, and --reference ${value.reference} is another: leave one of them out`,
    );
  }
  if (value.precomputeReference === true) {
    add(
      'precomputeReference',
      'what a reference says that moves (--reference-sync-steps) cannot be known in advance: leave one of them out',
    );
  }
}

function lossName(objectives: readonly string[] | null): z.ZodType<string> {
  return objectives ? z.enum(objectives as [string, ...string[]]) : z.string().min(1);
}

/**
 * Options of `keel dpo`.
 *
 * @param objectives names of the registered objectives, which --loss is checked against and --help
 * lists; null takes any name.
 */
export function defineDpoOptions(objectives: readonly string[] | null = null) {
  return defineOptions('dpo', dpoObject(objectives), {
    complete: (parsed) => {
      const completed = completeObjectiveOptions(completeTraining(parsed));
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

/** Options of a DPO run, every default filled in. */
export type DpoOptions = ReturnType<ReturnType<typeof defineDpoOptions>['complete']>;
