import { z } from 'zod';
import { option, withCompletion } from '../../config/options.ts';
import { defineTraining } from '../../config/training-options.ts';
import {
  checkObjectiveOptions,
  completeObjectiveOptions,
  optionsShapeOf,
  shownBetas,
} from '../../objectives/objective-options.ts';
import type { ExtraScores } from '../../objectives/paired.ts';
import { type Checked, checkOnline, checkRolesShareBase } from '../online/check-online.ts';
import { generations, onlineShape } from '../online/online-options.ts';
import { referenceSyncShape } from '../online/reference-sync-options.ts';
import { otherSampledNames, sampledObjectives } from '../online/sampled-objectives.ts';
import { epochsShape } from '../online/update-options.ts';
import { refreshShape } from '../refresh/refresh-options.ts';

const objective = 'Objective';

/**
 * Options of an objective on pairs of sampled answers.
 * @param given what is known about a pair besides its answers
 */
export const sampledPairsShape = (given: readonly (keyof ExtraScores)[]) => ({
  numGenerations: generations(2, { compared: true }),
  loss: option(
    z
      .enum(sampledObjectives(given).map(({ name }) => name) as [string, ...string[]])
      .default('sigmoid'),
    {
      description: 'objective on the pair of the best and the worst answer to each prompt',
      group: objective,
      value: 'name',
      common: true,
      otherNames: otherSampledNames(given),
    },
  ),
  beta: option(z.number().positive().nullable().default(null), {
    description:
      "KL strength, or the objective's equivalent; larger keeps the policy closer to the reference",
    group: objective,
    common: true,
    shownDefault: shownBetas(sampledObjectives(given)),
  }),
  ...optionsShapeOf(sampledObjectives(given)),
  minScoreGap: option(z.number().min(0).nullable().default(null), {
    description: 'skip pairs whose rewards differ by less, as DNO does',
    group: 'Pairs',
    value: 'gap',
    shownDefault: 'skip only pairs with equal rewards',
  }),
  ...referenceSyncShape('KL and reference'),
  ...epochsShape({ iterations: 1 }),
});

interface SampledPairs {
  loss: string;
  beta: number | null;
}

/** For `.check(...)`: adds an issue for options that contradict each other. */
export function checkSampledPairs(
  context: Omit<Checked, 'value'> & { value: Omit<Checked['value'], 'beta'> & SampledPairs },
): void {
  const { value, issues } = context;
  // These objectives always compare with the reference, whatever they call its strength.
  checkOnline(
    { ...context, value: { ...value, beta: 1 } as Checked['value'] },
    { most: value.batchSize, name: 'pairs (one per prompt)' },
    { needsLora: true },
  );
  const add = (name: string, message: string): void => {
    issues.push({ code: 'custom', path: [name], message, input: value });
  };
  checkObjectiveOptions({ ...value, loss: [value.loss] }, add);
}

/** Fills in the options of the objective. */
export const completeSampledPairs = <Value extends SampledPairs>(value: Value): Value => ({
  ...completeObjectiveOptions({ ...value, loss: [value.loss] }),
  loss: value.loss,
});

const onlineDpoObject = z
  .strictObject({ ...onlineShape, ...refreshShape, ...sampledPairsShape(['scoreGap']) })
  .check((context) => {
    checkSampledPairs(context);
    const { value, issues } = context;
    checkRolesShareBase(value, { verb: 'online-dpo' }, (name, message) => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    });
  });

/** Options of `keel online-dpo`. */
export const onlineDpoDefinition = withCompletion(
  defineTraining('online-dpo', onlineDpoObject),
  completeSampledPairs,
);

/** Options of an online DPO run, with every default filled in. */
export type OnlineDpoOptions = ReturnType<typeof onlineDpoDefinition.complete>;
