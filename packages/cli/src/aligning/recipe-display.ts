import {
  type Recipe,
  type RecipeEvent,
  type RecipePlan,
  type RecipeResult,
  stageVerbs,
  stepsTook,
} from '@keel/align/internal';
import { shellWord } from '../shell-word.ts';
import { complain, say } from '../terminal.ts';
import type { ResultUse, TrainingDisplay } from '../training/display.ts';
import { HumanDisplay, healthLines } from '../training/human-display.ts';
import { JsonDisplay, printJson } from '../training/json-display.ts';
import { chatWith, scoreWith } from '../training/run-verb.ts';
import { planJson, planText, stateText } from './plan-display.ts';

type Stage = RecipeEvent['stage'];

/** Shows a recipe: its plan, and each stage's run as the verb shows it. */
export class RecipeDisplay {
  readonly #recipe: Recipe;
  readonly #json: boolean;
  /** The command that resumes the recipe. */
  readonly #resume: string;
  #current: TrainingDisplay | null = null;

  constructor(recipe: Recipe, { json, resume }: { json: boolean; resume: string }) {
    this.#recipe = recipe;
    this.#json = json;
    this.#resume = resume;
  }

  plan(plan: RecipePlan): void {
    if (this.#json) printJson(planJson(this.#recipe, plan));
    else say(planText(this.#recipe, plan));
  }

  event(event: RecipeEvent): void {
    const { stage } = event;
    const { name, number, verb } = stage;
    const of = this.#recipe.stages.length;
    switch (event.type) {
      case 'stage': {
        const { status, why, step } = event.state;
        this.close();
        if (this.#json)
          printJson({ type: 'stage', stage: name, number, of, verb, status, why, step });
        // The plan has already listed the finished stages.
        else if (status !== 'done')
          say(`\n${this.#label(stage)}  keel ${verb}: ${stateText(event)}`);
        this.#current = this.#json
          ? new JsonDisplay({ stage: name })
          : new HumanDisplay(process.stdout, { label: this.#label(stage) });
        break;
      }
      case 'merge':
        if (this.#json) printJson({ type: 'merge', stage: name, path: event.path });
        else say(`Merged the adapter of ${name} into its base model: ${event.path}`);
        break;
      case 'run':
        this.#current?.event(event.event);
        break;
      case 'ended':
        this.#ended(event);
    }
  }

  #ended({ stage, result, seconds }: RecipeEvent & { type: 'ended' }): void {
    const rounded = Math.round(seconds * 10) / 10;
    this.close();
    if (result.interrupted) return;
    if (this.#json) {
      const use = useOf(stage, result.final);
      this.#current?.ended({ ...result, seconds: rounded, use, resume: this.#resume });
    } else {
      const took = stepsTook(result.step, seconds);
      for (const line of healthLines(result.health)) say(`${this.#label(stage)}  ${line}`);
      say(`${this.#label(stage)}  ${took}. The result is in ${result.final}`);
    }
  }

  #label = ({ name, number }: Stage): string => `[${number}/${this.#recipe.stages.length}] ${name}`;

  say(text: string): void {
    if (this.#current !== null) this.#current.say(text);
    else complain(text);
  }

  close(): void {
    this.#current?.close();
  }

  ended({ path, report, ran, interrupted }: RecipeResult): void {
    if (interrupted !== null) {
      const { stage, step } = interrupted;
      if (this.#json) {
        printJson({ type: 'interrupted', stage, step, run: path, resume: this.#resume });
      } else {
        const where =
          step === 0
            ? `before stage ${stage}`
            : `in stage ${stage} after step ${step}; its checkpoint is in ${path}/${stage}`;
        say(`\nStopped ${where}.\nResume with:  ${this.#resume}`);
      }
      return;
    }
    const last = this.#recipe.stages.at(-1)!;
    const use = useOf(last, `${path}/${last.name}/final`);
    if (this.#json) printJson({ type: 'done', run: path, ran, report, [use.name]: use.command });
    else {
      const what = ran.length === 0 ? 'Nothing to run' : `Ran: ${ran.join(', ')}`;
      say(`\n${what}. Report: ${report}\n${use.words}: ${use.command}`);
    }
  }
}

const useOf = ({ verb, options }: Stage, final: string): ResultUse =>
  stageVerbs[verb]!.gives === 'reward model' ? scoreWith(options, final) : chatWith(options, final);

/** The command that resumes a recipe. */
export const alignCommand = ({
  recipe,
  output,
}: {
  recipe: string;
  output: string | null;
}): string =>
  [
    'npx keel align',
    shellWord(recipe),
    ...(output === null ? [] : ['--output', shellWord(output)]),
  ].join(' ');
