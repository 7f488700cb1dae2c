import {
  columnsOption,
  defineOptions,
  detailsOf,
  option,
  trainingShape,
  variant,
} from '@keel/align/config';
import { z } from 'zod';
import { baseFor } from './base-model.ts';
import { withOperand } from './operand.ts';
import { checkAnswerLength, samplingShape } from './sampling.ts';
import { callShape, dataShape, dryRunShape, machineShape, modelShape } from './shared.ts';

const answersGroup = 'Answers';
const judgeGroup = 'Judge';

export const operand = 'answers';

const texts = z.array(z.string().min(1)).min(1).nullable().default(null);

const { chatTemplate, chatTemplateKwargs, templateDate } = modelShape;

const schema = z
  .strictObject({
    answers: option(texts, {
      description:
        "answers of a and of b: two files of rows with prompt and completion, or of alpaca_eval's outputs; one file is rated instead",
      group: answersGroup,
      reads: 'rows',
      common: true,
      shownDefault: 'use one of the options below',
    }),
    pairs: option(texts, {
      description: 'preference rows: the chosen answer (b) is compared with the rejected one (a)',
      group: answersGroup,
      reads: 'rows',
      common: true,
      shownDefault: 'none',
    }),
    model: option(texts, {
      ...detailsOf(modelShape.model),
      description:
        'let one or two models answer --data: folders, runs, GGUF files or hub:owner/name[@revision]',
      group: answersGroup,
      shownDefault: 'the base of --adapter',
    }),
    adapter: option(texts, {
      ...detailsOf(modelShape.adapter),
      description:
        'apply these adapters to --model, as in base,runs/first; one is compared with the model alone',
      group: answersGroup,
      value: 'folder',
      shownDefault: 'none',
    }),
    run: option(z.string().min(1).nullable().default(null), {
      description: 'compare a training run before and after, on --data or its held-out rows',
      group: answersGroup,
      value: 'folder',
      common: true,
      shownDefault: 'none',
    }),
    data: option(texts, {
      description: 'prompts that the models answer: JSONL, JSON, Parquet or CSV files, or globs',
      group: answersGroup,
      reads: 'rows',
      common: true,
      shownDefault: 'the held-out rows of --run',
    }),
    annotations: option(texts, {
      description:
        "summarise verdicts without asking a judge: verdicts.jsonl, or alpaca_eval's annotations.json",
      group: answersGroup,
      reads: 'rows',
      common: true,
      shownDefault: 'none',
    }),
    check: option(texts, {
      description:
        "check the judge against labelled pairs, alone or before a comparison: preference rows, two answers with several people's votes, or LLMBar's rows",
      group: answersGroup,
      reads: 'rows',
      common: true,
      shownDefault: 'none',
    }),
    names: option(z.array(z.string().min(1)).length(2).nullable().default(null), {
      description: 'names of a and b, for rows that do not name their model',
      group: answersGroup,
      shownDefault: 'the names of the files',
    }),
    unpaired: option(z.enum(['fail', 'skip']).default('fail'), {
      description: 'what to do with an answer whose prompt the other side lacks: stop, or skip it',
      group: answersGroup,
    }),
    limit: option(z.number().int().min(1).nullable().default(null), {
      description:
        'use only this many rows, from the start, and with --check alone of each file; before a comparison, --check uses all of its rows',
      group: answersGroup,
      value: 'rows',
      common: true,
      shownDefault: 'all',
    }),
    category: option(z.string().min(1).nullable().default(null), {
      description: 'column by which the summary is grouped',
      group: answersGroup,
      value: 'column',
      shownDefault: 'category, otherwise dataset',
    }),
    ...{
      onBadRow: variant(dataShape.onBadRow, { group: answersGroup }),
      columns: columnsOption(answersGroup),
      wrapChat: variant(dataShape.wrapChat, { group: answersGroup }),
    },
    judge: option(z.string().min(1).nullable().default(null), {
      description:
        'who judges: a spec (YAML, JSON), model:NAME, endpoint:MODEL, reward:REWARD, module.ts#name, program:COMMAND or labels:FILE',
      group: judgeGroup,
      value: 'judge',
      common: true,
      shownDefault: 'required, except for --annotations',
    }),
    rubric: option(z.string().min(1).nullable().default(null), {
      description: 'file with criteria to judge by (YAML), instead of those of --judge',
      group: judgeGroup,
      reads: 'file',
      common: true,
      shownDefault: "the judge's own question",
    }),
    reference: option(z.string().min(1).nullable().default(null), {
      description: 'column with a good answer, which the judge sees too',
      group: judgeGroup,
      value: 'column',
      shownDefault: 'none',
    }),
    emptyAnswers: option(z.enum(['lose', 'ask']).default('lose'), {
      description: 'an empty answer loses without asking, or the judge is asked about it too',
      group: judgeGroup,
    }),
    judgeCache: option(z.string().min(1).nullable().default(null), {
      description: 'folder in which verdicts are cached, so that none is paid for twice; off: none',
      group: judgeGroup,
      value: 'folder',
      shownDefault: "verdicts in Keel's cache",
    }),
    retryFailed: option(z.boolean().default(false), {
      description: 'ask again where an earlier call of the same command got no verdict',
      group: judgeGroup,
      flagOnly: true,
    }),
    ...{ chatTemplate, chatTemplateKwargs, templateDate },
    ...samplingShape({ temperature: 0, topP: 1 }),
    minWinRate: option(z.number().min(0).max(1).nullable().default(null), {
      description:
        "exit with 3 unless the lower end of the 95% interval of b's win rate is at least this",
      group: 'Output',
      value: 'share',
      common: true,
      shownDefault: 'no gate',
    }),
    output: option(z.string().min(1).nullable().default(null), {
      description: 'folder for verdicts, annotations, summary and report; the same command resumes',
      group: 'Output',
      value: 'folder',
      common: true,
      shownDefault: 'required, except for --annotations',
    }),
    overwrite: variant(trainingShape.overwrite, {
      description: 'drop the verdicts in --output and ask again',
    }),
    batchSize: option(z.number().int().min(1).default(16), {
      description: 'answers sampled at the same time; affects speed and memory',
      group: 'Machine',
    }),
    ...machineShape,
    ...callShape,
    ...dryRunShape,
    json: variant(callShape.json, { common: true }),
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    checkAnswerLength(value, add);
    checkSource(value, add);
  });

type Parsed = z.output<typeof schema>;
type Add = (name: string, message: string) => void;

/** Whether two models' answers are compared; otherwise a judge is checked or one file rated. */
export const isComparison = ({
  answers,
  pairs,
  run,
  data,
}: Pick<Parsed, 'answers' | 'pairs' | 'run' | 'data'>): boolean =>
  answers?.length === 2 || [pairs, run, data].some((one) => one !== null);

/** At most one source of answers, or labels, with what they need. */
function checkSource(value: Parsed, add: Add): void {
  const { answers, pairs, model, adapter, run, annotations, check, data } = value;
  const models = model !== null || adapter !== null;
  const sources = [
    ...[answers !== null && '<answers>', pairs !== null && '--pairs', run !== null && '--run'],
    ...[models && '--model or --adapter', annotations !== null && '--annotations'],
  ].filter((one) => one !== false);
  if (sources.length === 0 && check === null) {
    add(
      'answers',
      'nothing to judge. Pass two files of answers, or one of --pairs, --run, --adapter with --data, --annotations or --check',
    );
  }
  if (value.minWinRate !== null && annotations === null && !isComparison(value)) {
    add('minWinRate', 'needs two models: --check and a single file of answers have no win rate');
  }
  if (check !== null && answers?.length === 1) {
    add(
      'check',
      'a single file of answers is rated, not compared. Check the judge in a call of its own',
    );
  }
  if (sources.length > 1) add('answers', `pass only one of ${sources.join(', ')}`);
  if (answers !== null && answers.length > 2) {
    add('answers', `expected one or two files, found ${answers.length}`);
  }
  for (const [name, list] of Object.entries({ model, adapter })) {
    if (list !== null && list.length > 2) add(name, `expected one or two, found ${list.length}`);
  }
  if (models && data === null) add('data', 'the models need prompts to answer. Pass --data');
  if (data !== null && !models && run === null) {
    add('data', 'has no effect without --model, --adapter or --run');
  }
  if (annotations !== null) {
    for (const name of ['judge', 'check'] as const) {
      if (value[name] !== null) add(name, 'has no effect with --annotations: nothing is asked');
    }
    return;
  }
  if (value.judge === null) add('judge', 'a judge is required, such as --judge reward:runs/reward');
  if (value.output === null) add('output', 'a folder is required, such as --output judged');
}

export const definition = withOperand(
  operand,
  defineOptions('judge', schema, {
    complete: ({ model, ...others }) => ({
      ...others,
      model: model ?? [baseFor(others.adapter?.find((one) => one !== 'base') ?? null)],
    }),
  }),
);

export type JudgeVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel judge base.jsonl tuned.jsonl --judge reward:runs/reward --output judged';
