import { z } from 'zod';
import { defaultScoring } from '../../batching/scoring-rules.ts';
import { option } from '../../config/options.ts';
import {
  checkTraining,
  type DefaultRates,
  defineTraining,
  learningRateOf,
  trainingShape,
} from '../../config/training-options.ts';

const objective = 'Objective';

/** TRL's rate for full fine-tuning, and ten times that for an adapter. */
const rates: DefaultRates = { full: 2e-5, lora: 2e-4 };

const sftObject = z
  .strictObject({
    ...trainingShape,
    learningRate: learningRateOf(rates),
    maxLength: option(trainingShape.maxLength, {
      description: 'tokens of a row; the end of longer ones is cut; none: never',
      group: 'Batching and length',
      value: 'tokens',
    }),
    seed: option(trainingShape.seed, {
      description: 'seed of the row order, LoRA weights, dropout and noise',
      group: 'Batching and length',
    }),
    completionOnlyLoss: option(z.boolean().default(defaultScoring.completionOnlyLoss), {
      description:
        'rows of prompt and completion: the loss is of the prompt too; else of the completion only',
      group: objective,
    }),
    assistantOnlyLoss: option(z.boolean().default(defaultScoring.assistantOnlyLoss), {
      description:
        "chats: the loss is of every token; else of the assistant's turns only, each with its end-of-turn token",
      group: objective,
    }),
    assistantTurns: option(z.enum(['all', 'last']).default(defaultScoring.assistantTurns), {
      description: "chats: which of the assistant's turns the loss is of",
      group: objective,
      value: 'which',
    }),
    neftuneAlpha: option(z.number().positive().nullable().default(null), {
      description:
        "NEFTune: uniform noise on the embeddings while training, scaled by alpha / sqrt(tokens of the row * hidden size); the paper's alphas are 5, 10 and 15",
      group: objective,
      value: 'alpha',
    }),
  })
  .check((context) => {
    checkTraining(context);
    const { assistantOnlyLoss, assistantTurns } = context.value;
    if (assistantOnlyLoss || assistantTurns === 'all') return;
    context.issues.push({
      code: 'custom',
      path: ['assistantTurns'],
      message:
        'last scores one turn of the assistant, and --no-assistant-only-loss every token; give one of them',
      input: context.value,
    });
  });

/** Options of `keel sft`. */
export const sftDefinition = defineTraining('sft', sftObject, rates);

/** Options of a supervised run, every default filled in. */
export type SftOptions = ReturnType<typeof sftDefinition.complete>;
