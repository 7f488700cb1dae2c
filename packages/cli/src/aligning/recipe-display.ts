import { trainingShape } from '@keel/align/config';
import {
  formatDuration,
  formatterOf,
  isMeasuring,
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
import { JobBar } from './job-bar.ts';
import { planJson, planText, stateText } from './plan-display.ts';

type Stage = RecipeEvent['stage'];
type TrainingStage = Extract<Stage, { kind: 'training' }>;

/** Shows a recipe: its plan, and each stage's run as the verb shows it. */
export class RecipeDisplay {
  readonly #recipe: Recipe;
  readonly #json: boolean;
  /** The command that resumes the recipe. */
  readonly #resume: string;
  #current: TrainingDisplay | null = null;
  readonly #jobs: JobBar;

  constructor(recipe: Recipe, { json, resume }: { json: boolean; resume: string }) {
    this.#recipe = recipe;
    this.#json = json;
    this.#resume = resume;
    this.#jobs = new JobBar(json);
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
        if (stage.kind === 'job') this.#current = null;
        else
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
        break;
      case 'notice':
        if (this.#json) printJson({ type: 'notice', stage: name, text: event.text });
        else this.#jobs.say(`${this.#label(stage)}  ${event.text}`);
        break;
      case 'progress':
        this.#jobs.progress(name, this.#label(stage), event);
        break;
      case 'worked':
        this.#worked(event);
        break;
      case 'skipped':
        if (this.#json) printJson({ type: 'skipped', stage: name, why: event.why });
        else say(`\n${this.#label(stage)}  keel ${verb}: not run, because ${event.why}`);
    }
  }

  #worked({ stage, result, seconds }: RecipeEvent & { type: 'worked' }): void {
    this.close();
    const { headlines, verdict, interrupted } = result;
    if (interrupted) return;
    if (this.#json) {
      printJson({
        ...{ type: 'finished', stage: stage.name, seconds: Math.round(seconds * 10) / 10 },
        numbers: headlines.map(({ label, after, before, unit }) => ({
          ...{ label, value: after.value, before: before?.value ?? null, unit },
          ...(after.interval && { interval: after.interval }),
        })),
        verdict,
      });
      return;
    }
    for (const line of headlines.map(headlineText)) say(`${this.#label(stage)}  ${line}`);
    for (const line of verdictLines(verdict)) say(`${this.#label(stage)}  ${line}`);
    const took = formatDuration(seconds);
    const { output } = stage.options;
    const made = isMeasuring(stage)
      ? `The report is in ${output}/report.html`
      : `Rows: ${stage.job.rows.map((file) => `${output}/${file}`).join(', ')}`;
    say(`${this.#label(stage)}  ${took}. ${made}`);
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
    if (this.#jobs.active) this.#jobs.say(text);
    else if (this.#current !== null) this.#current.say(text);
    else complain(text);
  }

  close(): void {
    this.#current?.close();
    this.#jobs.close();
  }

  ended({ path, report, ran, verdicts, skipped, interrupted }: RecipeResult): void {
    if (interrupted !== null) {
      const { stage, step } = interrupted;
      if (this.#json) {
        printJson({ type: 'interrupted', stage, step, run: path, resume: this.#resume });
      } else {
        const where =
          step === 0 && !ran.includes(stage)
            ? `before stage ${stage}`
            : step === 0
              ? `in stage ${stage}; what it finished is in ${path}/${stage}`
              : `in stage ${stage} after step ${step}; its checkpoint is in ${path}/${stage}`;
        say(`\nStopped ${where}.\nResume with:  ${this.#resume}`);
      }
      return;
    }
    const trained = this.#recipe.stages.filter((one) => one.kind === 'training');
    const last = trained.filter(({ name }) => !skipped.includes(name)).at(-1);
    const use = last && useOf(last, `${path}/${last.name}/final`);
    if (this.#json) {
      printJson({
        ...{ type: 'done', run: path, ran, report },
        ...(verdicts.length > 0 && {
          ...{ passed: verdicts.every(({ verdict }) => verdict.passed), verdicts, skipped },
        }),
        ...(use && { [use.name]: use.command }),
      });
      return;
    }
    const what = ran.length === 0 ? 'Nothing to run' : `Ran: ${ran.join(', ')}`;
    say(`\n${what}. Report: ${report}`);
    for (const { stage, verdict } of verdicts) {
      const [first, ...reasons] = verdictLines(verdict);
      say(`${stage}: ${first}`);
      if (!verdict.passed) for (const reason of reasons) say(reason);
    }
    if (use) say(`${use.words}: ${use.command}`);
  }
}

const useOf = ({ verb, options }: TrainingStage, final: string): ResultUse =>
  stageVerbs[verb]!.gives === 'reward model' ? scoreWith(options, final) : chatWith(options, final);

type Worked = (RecipeEvent & { type: 'worked' })['result'];

function headlineText({ label, before, after, unit }: Worked['headlines'][number]): string {
  const show = formatterOf(unit);
  const { value, interval } = after;
  const range = interval === undefined ? '' : ` [${show(interval[0])}, ${show(interval[1])}]`;
  const was = before === null ? '' : ` (${show(before.value)} before)`;
  return `${label}: ${show(value)}${range}${was}`;
}

function verdictLines(verdict: Worked['verdict']): string[] {
  if (verdict === null) return [];
  return [
    verdict.passed ? 'gate passed' : 'gate failed',
    ...verdict.reasons.map((reason) => `  ${reason}`),
  ];
}

type AskedRecipe = Readonly<{
  recipe: string;
  output: string | null;
  processTimeout?: number;
}>;

const usualTimeout = trainingShape.processTimeout.parse(undefined);

/** The words of the command that resumes a recipe. */
export const alignWords = ({
  recipe,
  output,
  processTimeout = usualTimeout,
}: AskedRecipe): string[] => [
  ...['align', recipe],
  ...(output === null ? [] : ['--output', output]),
  ...(processTimeout === usualTimeout ? [] : ['--process-timeout', `${processTimeout}`]),
];

/** The command that resumes a recipe. */
export const alignCommand = (asked: AskedRecipe): string =>
  `npx keel ${alignWords(asked).map(shellWord).join(' ')}`;
