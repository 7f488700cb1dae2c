import { planRecipe, readRecipe, runRecipe, StageError } from '@keel/align';
import { alignCommand, alignWords, RecipeDisplay } from '../aligning/recipe-display.ts';
import { exitCodes } from '../failure.ts';
import type { AlignOptions } from '../options/align.ts';
import { complain } from '../terminal.ts';
import { openSuitesLater } from '../training/open-suites.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { inRankZero } from '../training/together.ts';
import { jobVerbs } from './job-stages.ts';

export const run = (options: AlignOptions): Promise<number> =>
  inRankZero(options, () => runAll(options));

async function runAll(options: AlignOptions): Promise<number> {
  const { dryRun, overwrite, json } = options;
  const recipe = readRecipe(options.recipe, { ...options, jobs: jobVerbs });
  const resume = alignCommand(options);
  const display = new RecipeDisplay(recipe, { json, resume });
  display.plan(await planRecipe(recipe, { overwrite, notice: (text) => display.say(text) }));
  if (dryRun) return 0;
  using stop = new StopSignals((name) => {
    display.say(
      `${name}: finishing this step and saving a checkpoint. Press Ctrl-C again to quit now.`,
    );
  });
  try {
    const onEvent = display.event.bind(display);
    const result = await runRecipe(recipe, {
      ...{ onEvent, signal: stop.signal, overwrite },
      command: { verb: 'align', words: alignWords(options) },
      openSuites: openSuitesLater,
    });
    display.close();
    display.ended(result);
    if (stop.outputEnded && result.interrupted !== null) complain(`Resume with:  ${resume}`);
    if (result.interrupted !== null) {
      await stop.requeue();
      return stop.exitCode;
    }
    const passed = result.verdicts.every(({ verdict }) => verdict.passed);
    return passed ? exitCodes.done : exitCodes.gateFailed;
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const { message, cause } = error;
    throw new Error(
      `${message}\nFinished stages are kept. After fixing the problem, continue with:  ${resume}`,
      {
        cause,
      },
    );
  } finally {
    display.close();
  }
}
