// A whole supervised run, from options to final/: `keel sft`, and the library's `fineTune`.

import {
  type RunHooks,
  type RunResult,
  runTraining,
  type TrainingKind,
} from '../../training/run-training.ts';
import { fromProgram, type ProgramOptions } from '../registration/from-program.ts';
import { ExampleSource } from './example-source.ts';
import { type SftOptions, sftDefinition } from './sft-options.ts';
import { SupervisedTask } from './supervised-task.ts';

/** Options of a supervised run: only `data` and `output` have no default. */
export type FineTuneOptions = ProgramOptions<SftOptions>;

/**
 * Fine-tunes a model on chats, on prompts with their completions, or on text: the library's form of
 * `keel sft`.
 * @throws ConfigError for invalid options, Error as {@link runSft} does
 */
export async function fineTune(options: FineTuneOptions, hooks: RunHooks = {}): Promise<RunResult> {
  return fromProgram(sftDefinition, runSft, options, hooks);
}

/**
 * Runs supervised fine-tuning from complete options.
 * @throws DataError, CheckpointError, NonFiniteLossError, Error as {@link runTraining} does
 */
export function runSft(options: SftOptions, hooks: RunHooks = {}): Promise<RunResult> {
  return runTraining(supervised, options, hooks);
}

const supervised: TrainingKind<SftOptions, 'supervised', ExampleSource> = {
  definition: sftDefinition,
  rowKind: 'supervised',
  source: (rows, tokenizer, how, { completionOnlyLoss, assistantOnlyLoss, assistantTurns }) =>
    new ExampleSource(rows, tokenizer, {
      ...how,
      rules: { completionOnlyLoss, assistantOnlyLoss, assistantTurns },
    }),
  task: ({ options, policy: { model, role }, source, evaluation, passes }) =>
    new SupervisedTask({
      ...{ model, role, source, evaluation, ...passes },
      batchSize: options.batchSize,
      neftuneAlpha: options.neftuneAlpha,
    }),
  headlines: [
    { label: 'Held-out loss', metric: 'eval_loss', unit: 'number', better: 'lower' },
    { label: 'Held-out perplexity', metric: 'eval_perplexity', unit: 'number', better: 'lower' },
    {
      label: 'Held-out token accuracy',
      metric: 'eval_mean_token_accuracy',
      unit: 'share',
      better: 'higher',
    },
  ],
};
