import { z } from 'zod';
import { sampleShape } from '../../config/following-options.ts';
import { option, variant } from '../../config/options.ts';
import { checkTraining, defineTraining, trainingShape } from '../../config/training-options.ts';
import { unpairedObjective, unpairedObjectiveNames } from '../../objectives/unpaired-registry.ts';

const objective = 'Objective';

const ktoObject = z
  .strictObject({
    ...trainingShape,
    ...sampleShape,
    data: variant(trainingShape.data, {
      description: 'labelled answers: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    }),
    loss: option(z.enum(unpairedObjectiveNames).default('kto'), {
      description: 'objective',
      group: objective,
      value: 'name',
      common: true,
      otherNames: {
        dpo: 'keel dpo, which trains on pairs',
        sigmoid: 'keel dpo, which trains on pairs',
        bco_pair: 'bco, or keel dpo --loss bco_pair, which trains on pairs',
      },
    }),
    beta: option(z.number().positive().default(0.1), {
      description: 'KL strength; larger keeps the policy closer to the reference',
      group: objective,
      common: true,
    }),
    desirableWeight: option(z.number().min(0).default(1), {
      description: 'loss weight of answers labelled true',
      group: objective,
      common: true,
      value: 'weight',
    }),
    undesirableWeight: option(z.number().min(0).default(1), {
      description: 'loss weight of answers labelled false',
      group: objective,
      common: true,
      value: 'weight',
    }),
    klEstimate: option(z.enum(['mismatched', 'rotated']).default('mismatched'), {
      description:
        "answers that KTO estimates the KL from: mismatched, the answer of the next row with another prompt; rotated, the answer of the previous row (TRL's estimate)",
      group: objective,
    }),
  })
  .check((context) => {
    checkTraining(context);
    const { batchSize, loss, klEstimate, desirableWeight, undesirableWeight } = context.value;
    const add = (name: string, message: string): void => {
      context.issues.push({ code: 'custom', path: [name], message, input: context.value });
    };
    if (loss === 'kto' && batchSize < 2) {
      add(
        'batchSize',
        'kto estimates the KL from answers to other prompts of the step: expected at least 2 rows, found 1',
      );
    }
    if (klEstimate !== 'mismatched' && !unpairedObjective(loss).needsKl) {
      add('klEstimate', `the objective ${loss} does not estimate a KL. Remove the option`);
    }
    if (desirableWeight === 0 && undesirableWeight === 0) {
      add(
        'desirableWeight',
        'both weights are 0, so nothing would be trained. Set one of them above 0',
      );
    }
  });

/** Options of `keel kto`. */
export const ktoDefinition = defineTraining('kto', ktoObject);

/** Options of a run on single answers, with every default filled in. */
export type KtoOptions = ReturnType<typeof ktoDefinition.complete>;
