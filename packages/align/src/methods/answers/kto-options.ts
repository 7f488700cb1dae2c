import { z } from 'zod';
import { option } from '../../config/options.ts';
import { checkTraining, defineTraining, trainingShape } from '../../config/training-options.ts';
import { unpairedObjective, unpairedObjectiveNames } from '../../objectives/unpaired-registry.ts';

const objective = 'Objective';

const ktoObject = z
  .strictObject({
    ...trainingShape,
    loss: option(z.enum(unpairedObjectiveNames).default('kto'), {
      description: 'objective on single answers',
      group: objective,
      value: 'name',
      otherNames: {
        dpo: 'keel dpo, which learns from pairs',
        sigmoid: 'keel dpo, which learns from pairs',
        bco_pair: 'bco, or keel dpo --loss bco_pair, which learns from pairs',
      },
    }),
    beta: option(z.number().positive().default(0.1), {
      description: 'strength of the tie to the reference; larger stays nearer',
      group: objective,
    }),
    desirableWeight: option(z.number().min(0).default(1), {
      description: 'weight of answers whose label is true',
      group: objective,
      value: 'weight',
    }),
    undesirableWeight: option(z.number().min(0).default(1), {
      description: 'weight of answers whose label is false',
      group: objective,
      value: 'weight',
    }),
    klEstimate: option(z.enum(['mismatched', 'rotated']).default('mismatched'), {
      description:
        "answers that KTO estimates KL from: mismatched, that of the next row with another prompt; rotated, TRL's, that of the row before whatever it is",
      group: objective,
      value: 'name',
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
        'kto estimates KL from answers to other prompts of the step: expected at least 2 rows, found 1',
      );
    }
    if (klEstimate !== 'mismatched' && !unpairedObjective(loss).needsKl) {
      add('klEstimate', `${loss} estimates no KL: leave it out`);
    }
    if (desirableWeight === 0 && undesirableWeight === 0) {
      add('desirableWeight', 'both weights are 0: nothing would be learnt');
    }
  });

/** Options of `keel kto`. */
export const ktoDefinition = defineTraining('kto', ktoObject);

/** Options of a run on single answers, every default filled in. */
export type KtoOptions = ReturnType<typeof ktoDefinition.complete>;
