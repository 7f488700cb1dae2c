import { planRecipe, runRecipe, StageError } from '@keel/align';
import {
  isWorld,
  openLab,
  refuseOtherLab,
  writeLabResults,
  writeWorldResults,
} from '@keel/evaluate/over-optimisation';
import { RecipeDisplay } from '../aligning/recipe-display.ts';
import type { OveroptimiseOptions } from '../options/overoptimise.ts';
import { showLab } from '../overoptimising/lab-display.ts';
import { shellWord } from '../shell-word.ts';
import { complain } from '../terminal.ts';
import { openSuitesLater } from '../training/open-suites.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { jobVerbs } from './job-stages.ts';

export async function run(options: OveroptimiseOptions): Promise<number> {
  const { dryRun, overwrite, json, output } = options;
  if (isWorld(options.lab)) {
    // Nothing is trained: it takes a moment, and replaces what it wrote before.
    if (!dryRun) showLab(writeWorldResults(options.lab, output), json);
    return 0;
  }
  const bestOfN = jobVerbs.find(({ name }) => name === 'best-of-n')!;
  const lab = openLab(options.lab, { output, bestOfN });
  refuseOtherLab(lab.output);
  const resume = labCommand(options);
  const display = new RecipeDisplay(lab.recipe, { json, resume });
  const notice = (text: string): void => display.say(text);
  // The lab itself uses what no stage does.
  display.plan({ ...(await planRecipe(lab.recipe, { overwrite, notice })), unused: [] });
  if (dryRun) return 0;
  using stop = new StopSignals((name) => {
    display.say(
      `${name}: finishing this step and saving a checkpoint. Press Ctrl-C again to quit now.`,
    );
  });
  try {
    const result = await runRecipe(lab.recipe, {
      ...{ onEvent: display.event.bind(display), signal: stop.signal, overwrite },
      command: { verb: 'overoptimise', words: labWords(options) },
      openSuites: openSuitesLater,
    });
    display.close();
    if (result.interrupted !== null) {
      display.ended(result);
      if (stop.outputEnded) complain(`Resume with:  ${resume}`);
      return stop.exitCode;
    }
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const { message, cause } = error;
    throw new Error(
      `${message}\nFinished parts are kept. After fixing the problem, continue with:  ${resume}`,
      { cause },
    );
  } finally {
    display.close();
  }
  showLab(writeLabResults(lab), json);
  return 0;
}

/** The command that resumes a lab. */
const labWords = ({ lab, output }: Pick<OveroptimiseOptions, 'lab' | 'output'>): string[] => [
  ...['overoptimise', lab],
  ...(output === null ? [] : ['--output', output]),
];

const labCommand = (options: Pick<OveroptimiseOptions, 'lab' | 'output'>): string =>
  `npx keel ${labWords(options).map(shellWord).join(' ')}`;
