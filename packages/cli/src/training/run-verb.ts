import { join } from 'node:path';
import type { RunHooks, RunResult } from '@keel/align';
import type { ConstraintOptions } from '@keel/align/config';
import { thrownElsewhere } from '@keel/align/internal';
import { readLaunch } from '@keel/torch/launch';
import { exitCodes } from '../failure.ts';
import { shellWord } from '../shell-word.ts';
import { complain } from '../terminal.ts';
import { constraintWords } from './constraint-words.ts';
import type { ResultUse } from './display.ts';
import { HumanDisplay } from './human-display.ts';
import { JsonDisplay } from './json-display.ts';
import { openSuitesLater } from './open-suites.ts';
import { SilentDisplay } from './silent-display.ts';
import { StopSignals } from './stop-signals.ts';
import { StrayErrors } from './stray-errors.ts';

/** Options that every training verb has. */
export interface TrainingVerbOptions {
  model: string;
  output: string;
  lora: boolean;
  /** How the frozen base is held (default: auto). */
  basePrecision?: string;
  json: boolean;
  dryRun: boolean;
  /** Only for verbs that sample. */
  showSamples?: number | null;
}

/**
 * Trains and shows the run; the first signal ends it after the current step.
 * @returns the exit code
 */
export async function runVerb<Options extends TrainingVerbOptions>(
  verb: string,
  options: Options,
  train: (options: Options, hooks: RunHooks) => Promise<RunResult>,
  use: (options: Options, final: string) => ResultUse = chatWith,
): Promise<number> {
  const { json, showSamples = null } = options;
  const display = displayOf({ json, showSamples });
  using stop = new StopSignals((name) => {
    display.say(
      `${name}: finishing this step and saving a checkpoint. Press Ctrl-C again to quit now.`,
    );
  });
  using stray = new StrayErrors(() => {
    display.say('An error occurred outside the run: finishing this step and saving a checkpoint.');
  });
  const started = performance.now();
  const command = resume(verb, options);
  try {
    const result = await train(options, {
      onEvent: (event) => display.event(event),
      signal: AbortSignal.any([stop.signal, stray.signal]),
      openSuites: openSuitesLater,
    });
    display.close();
    if (stray.first !== null && result.interrupted) throw stray.first.error;
    if (options.dryRun && !result.interrupted) {
      display.say('Nothing was run or written (--dry-run).');
      return 0;
    }
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const verdict = { ...result, seconds, use: use(options, result.final), resume: command };
    display.ended(verdict);
    if (stop.outputEnded) {
      complain(
        result.interrupted
          ? `Stopped after step ${result.step}.\nResume with:  ${command}`
          : `The result is in ${result.final}`,
      );
    }
    if (result.interrupted) await stop.requeue();
    return result.interrupted ? stop.exitCode : 0;
  } catch (error) {
    // The process in which it was thrown reports it.
    if (thrownElsewhere(error) && (readLaunch()?.rank ?? 0) > 0) return exitCodes.failed;
    const left = error as { name?: unknown; checkpoint?: unknown };
    const resumable =
      left?.name === 'RunFailedError' ? left.checkpoint !== null : stray.first !== null;
    if (!resumable) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}\nResume with:  ${command}`, { cause: error });
  } finally {
    display.close();
  }
}

function displayOf({ json, showSamples }: { json: boolean; showSamples: number | null }) {
  if ((readLaunch()?.rank ?? 0) > 0) return new SilentDisplay();
  return json ? new JsonDisplay() : new HumanDisplay(process.stdout, { showSamples });
}

/** The command to chat with a language model, under the constraint that it was trained with. */
export function chatWith(
  options: Pick<TrainingVerbOptions, 'lora' | 'model' | 'basePrecision'> &
    Partial<ConstraintOptions>,
  final: string,
): ResultUse {
  const { lora, model } = options;
  const which = lora
    ? `--model ${shellWord(model)} --adapter ${shellWord(final)}`
    : `--model ${shellWord(final)}`;
  const command = `npx keel chat ${which}${heldAs(options)}${constraintWords(options)}`;
  return { name: 'chat', words: 'Try it', command };
}

/** The command to score answers with a reward model. */
export const scoreWith = (
  options: Partial<Pick<TrainingVerbOptions, 'lora' | 'basePrecision'>>,
  final: string,
): ResultUse => ({
  name: 'score',
  words: 'Score answers with it',
  command: `npx keel score --reward ${shellWord(final)} --data answers.jsonl${heldAs(options)}`,
});

/** An adapter fits its base in the form that it was trained on. */
const heldAs = ({
  lora,
  basePrecision,
}: Partial<Pick<TrainingVerbOptions, 'lora' | 'basePrecision'>>): string =>
  lora && (basePrecision === 'nf4' || basePrecision === 'kept')
    ? ` --base-precision ${basePrecision}`
    : '';

function resume(verb: string, { output }: TrainingVerbOptions): string {
  const { KEEL_LAUNCH: processes } = process.env;
  const launch = processes === undefined ? '' : `launch --processes ${processes} `;
  return `npx keel ${launch}${verb} --config ${shellWord(join(output, 'config.yaml'))} --resume`;
}
