// Verbs that train nothing as stages of a recipe: their options. What they do is in
// verbs/job-stages.ts.
import type { JobVerb } from '@keel/align';
import { type AskVerbOptions, definition as askDefinition } from './ask.ts';
import { type BestOfNVerbOptions, definition as bestOfNDefinition } from './best-of-n.ts';
import { type EvaluateVerbOptions, definition as evaluateDefinition } from './evaluate.ts';
import { type GenerateVerbOptions, definition as generateDefinition } from './generate.ts';
import { isComparison, type JudgeVerbOptions, definition as judgeDefinition } from './judge.ts';
import { type LabelVerbOptions, definition as labelDefinition } from './label.ts';
import { type ReviseVerbOptions, definition as reviseDefinition } from './revise.ts';

/** A kind of stage, without its run. */
type StageOptions = Omit<JobVerb, 'run' | 'check'>;

/** How something is computed; what is measured is not a default of all stages. */
const computing = [
  ...['precision', 'basePrecision', 'device', 'threads'],
  ...['chatTemplate', 'chatTemplateKwargs', 'templateDate'],
];

/** A stage that answers prompts does so with the recipe's model. */
const answering = ['model', ...computing];

const takes = { model: 'model', adapter: 'adapter', run: 'run' } as const;

export const evaluateStage: StageOptions = {
  name: 'evaluate',
  definition: evaluateDefinition as unknown as JobVerb['definition'],
  ...{ takes, defaults: computing },
  results: ['summary.json'],
  rows: [],
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
  definition: judgeDefinition as unknown as JobVerb['definition'],
  takes: { ...takes, judge: 'judge' },
  defaults: computing,
  results: ['summary.json', 'verdicts.jsonl', 'ratings.jsonl'],
  rows: [],
  files: ({ judge }) => ({ judge: judgeFiles(judge as string | null) }),
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

export const reviseStage: StageOptions = {
  name: 'revise',
  definition: reviseDefinition as unknown as JobVerb['definition'],
  takes: { model: 'model', adapter: 'adapter', critic: 'model', reviser: 'model' },
  defaults: answering,
  results: ['sft.jsonl', 'preferences.jsonl', 'lineage.jsonl'],
  rows: ['sft.jsonl', 'preferences.jsonl'],
  // The name of an endpoint is no file.
  files: ({ critic, reviser }) => ({
    critic: critic === null ? [] : [String(critic)],
    reviser: reviser === null ? [] : [String(reviser)],
  }),
  describe(given) {
    const { data, critic, reviser, model, rounds } = given as unknown as ReviseVerbOptions;
    const who = critic ?? 'itself';
    const times = rounds === 1 ? 'once' : `in ${rounds} rounds`;
    const other = reviser === null || reviser === critic ? '' : `, revised by ${reviser}`;
    return `${data.join(', ')}, answered by ${model}, criticised by ${who} ${times}${other}`;
  },
};

export const labelStage: StageOptions = {
  name: 'label',
  definition: labelDefinition as unknown as JobVerb['definition'],
  takes: { judge: 'judge' },
  defaults: computing,
  results: ['labelled.jsonl'],
  rows: ['labelled.jsonl'],
  files: ({ judge }) => ({ judge: judgeFiles(String(judge)) }),
  describe(given) {
    const { data, judge, pairing } = given as unknown as LabelVerbOptions;
    const pairs = pairing === 'best-worst' ? 'best and worst answers' : 'pairs';
    return `${pairs} of ${data.join(', ')}, labelled by ${judge}`;
  },
};

export const askStage: StageOptions = {
  name: 'ask',
  definition: askDefinition as unknown as JobVerb['definition'],
  takes: { reward: 'reward model', judge: 'judge', policy: 'adapter', reference: 'model' },
  defaults: ['precision', 'device', 'threads', 'templateDate'],
  results: ['asked.jsonl'],
  rows: ['asked.jsonl'],
  files: ({ judge }) => ({ judge: ((judge ?? []) as string[]).flatMap(judgeFiles) }),
  describe(given) {
    const { data, reward, judge, policy, count } = given as unknown as AskVerbOptions;
    const by = (reward ?? judge ?? policy ?? []).join(', ');
    return `${count} pairs of ${(data ?? []).join(', ')}, chosen by ${by}`;
  },
};

export const generateStage: StageOptions = {
  name: 'generate',
  definition: generateDefinition as unknown as JobVerb['definition'],
  takes: { model: 'model', adapter: 'adapter' },
  defaults: answering,
  results: ['answers.jsonl'],
  rows: ['answers.jsonl'],
  describe(given) {
    const { prompts, model, adapter, samples } = given as unknown as GenerateVerbOptions;
    return `${samples === 1 ? 'an answer' : `${samples} answers`} to each of ${prompts ?? 'one prompt'}, by ${adapter ?? model}`;
  },
};

export const bestOfNStage: StageOptions = {
  name: 'best-of-n',
  definition: bestOfNDefinition as unknown as JobVerb['definition'],
  takes: { model: 'model', adapter: 'adapter', reward: 'reward model' },
  defaults: answering,
  results: ['answers.jsonl'],
  rows: ['answers.jsonl'],
  describe(given) {
    const { data, model, adapter, numGenerations, reward } = given as unknown as BestOfNVerbOptions;
    return `${numGenerations} answers to each of ${data.join(', ')}, by ${adapter ?? model}, scored by ${reward}`;
  },
};

/** Every verb that may be a stage without training. */
export const jobStages: readonly StageOptions[] = [
  ...[reviseStage, generateStage, bestOfNStage, askStage, labelStage],
  ...[evaluateStage, judgeStage],
];

/** A judge's spec, and what its short form names; only what exists counts. */
const judgeFiles = (judge: string | null): string[] =>
  judge === null ? [] : [judge, judge.replace(/^\w+:/, '').replace(/#\w+$/, '')];

function sidesText({
  model,
  adapter,
  run,
}: Pick<EvaluateVerbOptions, 'model' | 'adapter' | 'run'>): string {
  if (run !== null) return `${run}, before and after`;
  return (adapter ?? model).join(', ');
}
