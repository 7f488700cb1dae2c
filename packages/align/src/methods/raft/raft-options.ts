import { z } from 'zod';
import { option } from '../../config/options.ts';
import {
  type DefaultRates,
  defineTraining,
  learningRateOf,
} from '../../config/training-options.ts';
import { checkOnline } from '../online/check-online.ts';
import { generations, onlineShape } from '../online/online-options.ts';
import { epochsShape } from '../online/update-options.ts';
import { refreshShape } from '../refresh/refresh-options.ts';

const kept = 'Rejection sampling';

/** The defaults of `keel sft`: each step is supervised fine-tuning. */
const rates: DefaultRates = { full: 2e-5, lora: 2e-4 };

const raftObject = z
  .strictObject({
    ...onlineShape,
    ...refreshShape,
    learningRate: learningRateOf(rates),
    numGenerations: generations(8),
    keep: option(z.number().int().min(1).nullable().default(1), {
      description: 'train on the k best answers to each prompt; none: on all',
      group: kept,
      value: 'k',
      common: true,
    }),
    rewardThreshold: option(z.number().nullable().default(null), {
      description:
        'do not train on answers with a lower reward; prompts without any other answer are skipped',
      group: kept,
      value: 'reward',
      common: true,
      shownDefault: 'no threshold',
    }),
    beta: option(z.number().min(0).default(0), {
      description:
        'KL coefficient: the KL to the reference (the model before training) is subtracted from the reward before answers are ranked; 0: the KL is only measured',
      group: 'KL and reference',
      common: true,
    }),
    ...epochsShape({ iterations: 1 }),
  })
  .check((context) => {
    const { keep, rewardThreshold, numGenerations, batchSize } = context.value;
    checkOnline(context, {
      most: batchSize * Math.min(keep ?? numGenerations, numGenerations),
      name: 'answers to train on',
    });
    const add = (name: string, message: string): void => {
      context.issues.push({ code: 'custom', path: [name], message, input: context.value });
    };
    if (keep !== null && keep > numGenerations) {
      add('keep', `expected at most --num-generations (${numGenerations}), found ${keep}`);
    } else if ((keep === null || keep === numGenerations) && rewardThreshold === null) {
      add(
        'keep',
        'every answer would be trained on, whatever its reward. Pass fewer than --num-generations, or pass --reward-threshold',
      );
    }
  });

/** Options of `keel raft`. */
export const raftDefinition = defineTraining('raft', raftObject, rates);

/** Options of a RAFT run, with every default filled in. */
export type RaftOptions = ReturnType<typeof raftDefinition.complete>;
