import { askedBy, defineOptions, option, policyMargins } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption } from './data-store-shape.ts';
import { definition as label } from './label.ts';
import { callShape, dataShape, dryRunShape, machineShape } from './shared.ts';

const group = 'Pairs';
const rows = 'Model and data';
const { rubric, judgeCache, retryFailed, templateDate } = label.schema.shape;

const schema = z
  .strictObject({
    data: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'several answers to each prompt: rows with "completions", or with one "completion" each, as keel generate --samples writes them. JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
      group: rows,
      reads: 'rows',
      common: true,
      shownDefault: 'the open pairs of --project',
    }),
    project: option(z.string().min(1).nullable().default(null), {
      description:
        'project of the preference store: all of its open pairs get a priority, instead of writing a file',
      group: rows,
      value: 'name',
      common: true,
      shownDefault: 'the rows of --data',
    }),
    database: databaseOption,
    onBadRow: dataShape.onBadRow,
    columns: dataShape.columns,
    wrapChat: dataShape.wrapChat,
    reward: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'score pairs by this reward model: its run or folder; several adapters of one base, or a model with several heads, are an ensemble',
      group: 'Reward',
      reads: 'folder',
      value: 'folder',
      common: true,
      shownDefault: 'none',
    }),
    judge: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'score pairs by these judges, each asked about both orders: a spec (YAML, JSON), model:NAME, endpoint:MODEL, module.ts#name or program:COMMAND',
      group: 'Judge',
      value: 'judge',
      common: true,
      commas: false,
      shownDefault: 'none',
    }),
    passes: option(z.number().int().min(1).max(20).default(1), {
      description:
        'how often each judge is asked about a pair; several passes are members of an ensemble, for judges that sample their answers',
      group: 'Judge',
      value: 'passes',
    }),
    ...{ rubric, judgeCache, retryFailed, templateDate },
    policy: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'score pairs by this policy: its run or folder; several adapters of one base are an ensemble. The least certain pairs come first',
      group: 'KL and reference',
      reads: 'folder',
      value: 'folder',
      common: true,
      shownDefault: 'none',
    }),
    reference: option(z.string().min(1).nullable().default(null), {
      description: 'model that the training of the policy started from',
      group: 'KL and reference',
      reads: 'model',
      shownDefault: 'the base of an adapter',
    }),
    margin: option(z.enum(policyMargins).default('implicit'), {
      description:
        "what a policy's preference is; implicit: the margin of DPO's implicit rewards, beta times the difference of log-ratios to the reference; likelihood: the difference of log-probabilities",
      group: 'KL and reference',
    }),
    beta: option(z.number().positive().default(0.1), {
      description: 'factor of implicit rewards',
      group: 'KL and reference',
    }),
    count: option(z.number().int().min(1).nullable().default(null), {
      description: 'pairs to ask for',
      group,
      value: 'pairs',
      common: true,
      shownDefault: '50; with --project all',
    }),
    by: option(z.enum(askedBy).nullable().default(null), {
      description:
        "choose pairs by the ensemble's disagreement, by the information that a verdict gives about which member is right, or by the uncertainty of the verdict",
      group,
      common: true,
      shownDefault: 'disagreement for an ensemble, otherwise uncertainty',
    }),
    randomShare: option(z.number().min(0).max(1).nullable().default(null), {
      description:
        'share of them that is drawn at random from all pairs: only these say how good the reward model is on all',
      group,
      value: 'share',
      common: true,
      shownDefault: '0.3; with --project as its settings say',
    }),
    perPrompt: option(z.number().int().min(1).default(1), {
      description: 'maximum pairs of one prompt',
      group,
      value: 'pairs',
    }),
    labelled: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description: 'pairs that have a label already, and are not asked for again',
      group,
      reads: 'rows',
      value: 'files',
      shownDefault: 'none',
    }),
    seed: option(z.number().int().min(0).default(42), {
      description: 'seed for the random share and the order of pairs and answers',
      group,
    }),
    output: option(z.string().min(1).nullable().default(null), {
      description: 'JSON Lines file for the pairs',
      group: 'Output',
      value: 'file',
      common: true,
      shownDefault: 'none; required with --data',
    }),
    overwrite: option(z.boolean().default(false), {
      description: 'replace the file of an earlier command',
      group: 'Command line only',
      flagOnly: true,
    }),
    ...machineShape,
    ...callShape,
    ...dryRunShape,
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    const isGiven = (name: keyof typeof value): boolean => value[name] !== null;
    const scorers = (['reward', 'judge', 'policy'] as const).filter(isGiven);
    if (scorers.length !== 1)
      add(
        scorers[1] ?? 'reward',
        scorers.length === 0
          ? 'say by what pairs are scored: --reward, --judge or --policy'
          : `pairs are scored by one of --reward, --judge and --policy, found ${scorers.length}. Remove the others`,
      );
    if (isGiven('data') === isGiven('project'))
      add('data', 'pass either --data, or --project for the open pairs of the store');
    if (isGiven('project')) {
      for (const name of ['count', 'randomShare', 'labelled', 'output'] as const)
        if (isGiven(name))
          add(name, 'has no effect with --project, whose open pairs all get a priority');
    } else if (!isGiven('output')) add('output', 'expected a file for the pairs');
    if (value.policy === null && value.reference !== null)
      add('reference', 'has an effect only with --policy');
    if (value.judge === null && value.passes !== 1)
      add('passes', 'has an effect only with --judge');
  });

export const definition = defineOptions('ask', schema, {
  complete: ({ count, randomShare, ...options }) => ({
    ...options,
    count: count ?? 50,
    randomShare: randomShare ?? 0.3,
  }),
});

export type AskVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel ask --data answers.jsonl --reward runs/reward-1 runs/reward-2 --count 50 --output ask.jsonl';
