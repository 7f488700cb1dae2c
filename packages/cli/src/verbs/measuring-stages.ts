// `keel evaluate` and `keel judge` as stages of a recipe.
import type { MeasuringOptions, MeasuringVerb } from '@keel/align';
import type { EvaluateVerbOptions } from '../options/evaluate.ts';
import type { JudgeVerbOptions } from '../options/judge.ts';
import { evaluateStage, judgeStage } from '../options/measuring-stages.ts';

/** The kinds of stages that a recipe may have, besides those that train. */
export const measuringVerbs: readonly MeasuringVerb[] = [
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
      // The reward model of an earlier stage does not exist yet, but its spec is a path.
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

const optionsOf = <Options>({
  resume: _,
  ...options
}: MeasuringOptions & { resume: boolean }): Options => options as unknown as Options;
