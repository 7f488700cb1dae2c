// `keel evaluate` and `keel judge` as stages of a recipe: their options. What they do is in
// verbs/measuring-stages.ts.
import type { MeasuringVerb } from '@keel/align';
import { type EvaluateVerbOptions, definition as evaluateDefinition } from './evaluate.ts';
import { isComparison, type JudgeVerbOptions, definition as judgeDefinition } from './judge.ts';

/** A kind of stage, without its run. */
type StageOptions = Omit<MeasuringVerb, 'run' | 'check'>;

/** How it is computed; what is measured is not a default of all stages. */
const defaults = [
  ...['precision', 'device', 'threads'],
  ...['chatTemplate', 'chatTemplateKwargs', 'templateDate'],
];

const takes = { model: 'model', adapter: 'adapter', run: 'run' } as const;

export const evaluateStage: StageOptions = {
  name: 'evaluate',
  definition: evaluateDefinition as unknown as MeasuringVerb['definition'],
  ...{ takes, defaults },
  results: ['summary.json'],
  // A name of a bundled suite is no file.
  files: ({ suite }) => ({ suite: (suite as EvaluateVerbOptions['suite']) ?? [] }),
  describe(given) {
    const { suite, task, gate, ...sides } = given as unknown as EvaluateVerbOptions;
    const gates = gate === null ? '' : `, with the gates of ${gate}`;
    return `${[...(suite ?? []), ...(task ?? [])].join(', ')} on ${sidesText(sides)}${gates}`;
  },
};

export const judgeStage: StageOptions = {
  name: 'judge',
  definition: judgeDefinition as unknown as MeasuringVerb['definition'],
  takes: { ...takes, judge: 'reward model' },
  prefixes: { judge: 'reward:' },
  defaults,
  results: ['summary.json', 'verdicts.jsonl', 'ratings.jsonl'],
  files(given) {
    const { judge } = given as unknown as JudgeVerbOptions;
    return { judge: judge === null ? [] : [judge, judge.replace(/^\w+:/, '')] };
  },
  describe(given) {
    const options = given as unknown as JudgeVerbOptions;
    const { judge, answers, pairs, check, annotations } = options;
    const compared = isComparison(options) ? null : check;
    const files = answers ?? pairs ?? compared ?? annotations;
    const on = files?.join(', ') ?? sidesText(options);
    const checked = check === null || compared !== null ? '' : `, checked on ${check.join(', ')}`;
    return `${judge ?? 'verdicts'} on ${on}${checked}`;
  },
};

function sidesText({
  model,
  adapter,
  run,
}: Pick<EvaluateVerbOptions, 'model' | 'adapter' | 'run'>): string {
  if (run !== null) return `${run}, before and after`;
  return (adapter ?? model).join(', ');
}
