// Verbs that train nothing as stages of a recipe.
import { join } from 'node:path';
import type { JobOptions, JobVerb } from '@keel/align';
import type { AskVerbOptions } from '../options/ask.ts';
import type { BestOfNVerbOptions } from '../options/best-of-n.ts';
import type { EvaluateVerbOptions } from '../options/evaluate.ts';
import type { GenerateVerbOptions } from '../options/generate.ts';
import {
  askStage,
  bestOfNStage,
  evaluateStage,
  generateStage,
  judgeStage,
  labelStage,
  reviseStage,
} from '../options/job-stages.ts';
import type { JudgeVerbOptions } from '../options/judge.ts';
import type { LabelVerbOptions } from '../options/label.ts';
import type { ReviseVerbOptions } from '../options/revise.ts';

/** The kinds of stages that a recipe may have, besides those that train. */
export const jobVerbs: readonly JobVerb[] = [
  {
    ...reviseStage,
    async check(given, pending) {
      const { checkRevising } = await import('../revising/revise-stage.ts');
      await checkRevising(given as unknown as ReviseVerbOptions, pending);
    },
    async run() {
      const { revised } = await import('../revising/revise-stage.ts');
      return (given, hooks) =>
        revised({ ...optionsOf<ReviseVerbOptions>(given), overwrite: !given.resume }, hooks);
    },
  },
  {
    ...generateStage,
    async check(given, pending) {
      const { checkGenerating } = await import('../generating/generate-stage.ts');
      await checkGenerating(given as unknown as GenerateVerbOptions, pending);
    },
    async run() {
      const { answered } = await import('../generating/generate-stage.ts');
      return (given, hooks) => answered(inFile<GenerateVerbOptions>(given, 'answers.jsonl'), hooks);
    },
  },
  {
    ...bestOfNStage,
    async check(given, pending) {
      const { checkBestOfN } = await import('../best-of-n/best-of-n-stage.ts');
      await checkBestOfN(given as unknown as BestOfNVerbOptions, pending);
    },
    async run() {
      const { bestOf } = await import('../best-of-n/best-of-n-stage.ts');
      return (given, hooks) => bestOf(inFile<BestOfNVerbOptions>(given, 'answers.jsonl'), hooks);
    },
  },
  {
    ...askStage,
    async check(given, pending) {
      const { checkAsking } = await import('../asking/ask-stage.ts');
      await checkAsking(given as unknown as AskVerbOptions, pending);
    },
    async run() {
      const { asked } = await import('../asking/ask-stage.ts');
      return (given, hooks) => asked(inFile<AskVerbOptions>(given, 'asked.jsonl'), hooks);
    },
  },
  {
    ...labelStage,
    async check(given, pending) {
      const { checkLabelling } = await import('../labelling/label-stage.ts');
      await checkLabelling(given as unknown as LabelVerbOptions, pending);
    },
    async run() {
      const { labels } = await import('../labelling/label-stage.ts');
      return (given, hooks) => labels(inFile<LabelVerbOptions>(given, 'labelled.jsonl'), hooks);
    },
  },
  {
    ...evaluateStage,
    async check(given) {
      const { entriesOf, planEvaluation } = await import('@keel/evaluate');
      const { evaluationOptions } = await import('./evaluate.ts');
      const options = given as unknown as EvaluateVerbOptions;
      const { run, model, adapter } = options;
      // An earlier stage has not run, so what it trains is not known: an adapter, or all weights.
      const entries =
        run === null
          ? entriesOf(model, adapter ?? [])
          : ['before', run].map((name) => ({ name, model: '', adapter: run }));
      await planEvaluation(evaluationOptions(options, entries));
    },
    async run() {
      const { evaluated } = await import('../evaluating/evaluate-stage.ts');
      const { entriesFor, evaluationOptions } = await import('./evaluate.ts');
      return (given, hooks) => {
        const options = optionsOf<EvaluateVerbOptions>(given);
        return evaluated(evaluationOptions(options, entriesFor(options)), options, hooks);
      };
    },
  },
  {
    ...judgeStage,
    async check(given) {
      const { checkJudge } = await import('@keel/evaluate');
      const { judge } = given as unknown as JudgeVerbOptions;
      // A model of an earlier stage does not exist yet, but its spec is a path.
      if (judge !== null) checkJudge(judge);
    },
    async run() {
      const { stageOfJudging } = await import('../judging/judge-stage.ts');
      const { judged } = await import('./judge.ts');
      return (given, hooks) =>
        stageOfJudging(
          { ...optionsOf<JudgeVerbOptions>(given), overwrite: !given.resume },
          hooks,
          judged,
        );
    },
  },
];

/** Options of a verb that writes one file, which the stage's folder contains. */
function inFile<Options extends { overwrite: boolean }>(
  given: JobOptions & { resume: boolean },
  file: string,
): Options & { output: string } {
  const options = optionsOf<Options>(given);
  return { ...options, output: join(given.output, file), overwrite: !given.resume };
}

const optionsOf = <Options>({ resume: _, ...options }: JobOptions & { resume: boolean }): Options =>
  options as unknown as Options;
