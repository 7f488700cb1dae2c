import { z } from 'zod';
import { defaultScoring } from '../../batching/scoring-rules.ts';
import { sampleShape } from '../../config/following-options.ts';
import { option, variant } from '../../config/options.ts';
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
    ...sampleShape,
    learningRate: learningRateOf(rates),
    data: variant(trainingShape.data, {
      description:
        'chats, completions or texts: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    }),
    maxLength: variant(trainingShape.maxLength, {
      description: 'maximum tokens of a row; longer rows are truncated at the end; none: no limit',
    }),
    seed: variant(trainingShape.seed, {
      description: 'seed for the row order, LoRA initialisation, dropout and NEFTune noise',
    }),
    completionOnlyLoss: option(z.boolean().default(defaultScoring.completionOnlyLoss), {
      description:
        'rows of prompt and completion: compute the loss on the completion only, not on the prompt',
      group: objective,
      common: true,
    }),
    assistantOnlyLoss: option(z.boolean().default(defaultScoring.assistantOnlyLoss), {
      description:
        "chats: compute the loss on the assistant's turns only, each with its end-of-turn token, not on every token",
      group: objective,
      common: true,
    }),
    assistantTurns: option(z.enum(['all', 'last']).default(defaultScoring.assistantTurns), {
      description: "chats: which of the assistant's turns the loss is computed on",
      group: objective,
    }),
    neftuneAlpha: option(z.number().positive().nullable().default(null), {
      description:
        'NEFTune: add uniform noise to the embeddings in training, scaled by alpha / sqrt(tokens of the row * hidden size); usually 5, 10 or 15',
      group: objective,
      value: 'alpha',
      shownDefault: 'no noise',
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
        'last cannot be combined with --no-assistant-only-loss, which scores every token. Remove one of them',
      input: context.value,
    });
  });

/** Options of `keel sft`. */
export const sftDefinition = defineTraining('sft', sftObject, rates);

/** Options of a supervised run, with every default filled in. */
export type SftOptions = ReturnType<typeof sftDefinition.complete>;
