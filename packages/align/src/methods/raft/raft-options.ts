import { z } from 'zod';
import { option } from '../../config/options.ts';
import {
  type DefaultRates,
  defineTraining,
  learningRateOf,
} from '../../config/training-options.ts';
import { checkOnline, epochsShape, generations, onlineShape } from '../online/online-options.ts';

const kept = 'Rejection sampling';

/** Those of `keel sft`, which a step is. */
const rates: DefaultRates = { full: 2e-5, lora: 2e-4 };

const raftObject = z
  .strictObject({
    ...onlineShape,
    learningRate: learningRateOf(rates),
    numGenerations: generations(8),
    keep: option(z.number().int().min(1).nullable().default(1), {
      description: 'the best so many answers to each prompt are learnt; none: all of them',
      group: kept,
      value: 'answers',
    }),
    rewardThreshold: option(z.number().nullable().default(null), {
      description:
        'answers with a reward below this are not learnt; a prompt without any other is left out; none: no answer is too bad',
      group: kept,
      value: 'reward',
    }),
    beta: option(z.number().min(0).default(0), {
      description:
        "coefficient of an answer's KL to the reference (the model before training), which is taken off its reward before answers are ranked; at 0 the KL is measured only",
      group: kept,
    }),
    ...epochsShape({ iterations: 1 }),
  })
  .check((context) => {
    const { keep, rewardThreshold, numGenerations, batchSize } = context.value;
    checkOnline(context, {
      most: batchSize * Math.min(keep ?? numGenerations, numGenerations),
      name: 'answers that are kept',
    });
    const add = (name: string, message: string): void => {
      context.issues.push({ code: 'custom', path: [name], message, input: context.value });
    };
    if (keep !== null && keep > numGenerations) {
      add('keep', `the best ${keep} of ${numGenerations} answers: give more --num-generations`);
    } else if ((keep === null || keep === numGenerations) && rewardThreshold === null) {
      add(
        'keep',
        'every answer would be learnt, whatever its reward: keep fewer than --num-generations, or give a --reward-threshold',
      );
    }
  });

/** Options of `keel raft`. */
export const raftDefinition = defineTraining('raft', raftObject, rates);

/** Options of a RAFT run, every default filled in. */
export type RaftOptions = ReturnType<typeof raftDefinition.complete>;
