import { z } from 'zod';
import { sampleShape } from '../config/following-options.ts';
import { defineOptions, option, variant } from '../config/options.ts';
import {
  checkTraining,
  learningRateOf,
  preferenceRates,
  trainingExclusive,
  trainingShape,
} from '../config/training-options.ts';
import { shownExceptions } from '../objectives/objective-rates.ts';
import { readObjective } from './objective-name.ts';

const entries = 'Entries';
const evaluation = 'Evaluation and checkpoints';
const call = 'Command line only';

/** A good choice for an hour on a laptop if nothing else is known. */
const usualObjectives = ['sigmoid', 'ipo', 'kto', 'simpo', 'orpo'];

const {
  seed: _seed,
  resume: _resume,
  profile: _profile,
  profileSteps: _steps,
  logEvery: _logEvery,
  bestMetric: _bestMetric,
  bestMetricGoal: _bestMetricGoal,
  earlyStoppingPatience: _patience,
  earlyStoppingThreshold: _threshold,
  ...shape
} = trainingShape;

const compareObject = z
  .strictObject({
    ...shape,
    learningRate: learningRateOf(preferenceRates, shownExceptions()),
    data: variant(trainingShape.data, {
      description: 'training pairs: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    }),
    evalData: option(z.array(z.string().min(1)).min(1), {
      description: 'held-out pairs that every entry is evaluated on',
      group: 'Model and data',
      reads: 'rows',
    }),
    output: variant(trainingShape.output, {
      description:
        "the comparison's folder, for example runs/compare, with one run folder per entry",
    }),
    shuffle: variant(trainingShape.shuffle, {
      description: 'shuffle the rows in every epoch, seeded by --seeds',
    }),
    objectives: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'objectives of keel dpo and keel kto (dpo means sigmoid), or weighted sums such as sigmoid+0.2*chosen_nll',
      group: entries,
      value: 'name',
      common: true,
      shownDefault: `the entries of --config, otherwise ${usualObjectives.join(',')}`,
    }),
    betas: option(z.array(z.number().positive()).min(1).nullable().default(null), {
      description: 'values of beta to run each objective with',
      group: entries,
      value: 'beta',
      common: true,
      shownDefault: "each objective's own default",
    }),
    seeds: option(z.array(z.number().int().min(0)).min(1).default([42]), {
      description: 'seeds to run each with (row order, LoRA initialisation and dropout)',
      group: entries,
      value: 'seed',
      common: true,
    }),
    evalPrompts: option(z.number().int().min(1).default(64), {
      description: 'number of held-out prompts that every entry answers, without duplicates',
      group: evaluation,
      value: 'prompts',
      common: true,
    }),
    maxNewTokens: option(z.number().int().min(1).default(128), {
      description: 'maximum tokens of an answer',
      group: evaluation,
      value: 'tokens',
    }),
    evalSeed: option(z.number().int().min(0).default(0), {
      description: 'seed for sampling the answers, the same for all entries',
      group: evaluation,
      value: 'seed',
    }),
    evalSteps: variant(trainingShape.evalSteps, {
      description: "optimizer steps between evaluations during each entry's run, for its report",
      shownDefault: 'entries are evaluated only after training',
    }),
    evalSuites: variant(sampleShape.evalSuites, {
      description:
        'suites of keel evaluate to measure on the reference and after each entry, as columns of the table: YAML files, or names of those that come with Keel',
      group: evaluation,
      common: true,
    }),
    reward: option(z.string().min(1).nullable().default(null), {
      description:
        "reward that decides whether an entry's answer beats the reference's: a spec (YAML, JSON), a reward model's folder, module.ts, regex:/…/, length:…, penalty:…, code or judge:model",
      group: 'Reward',
      reads: 'reward',
      common: true,
      shownDefault: 'no win rate',
    }),
    judge: option(z.string().min(1).nullable().default(null), {
      description:
        'model that rates every answer from 1 to 10, the higher rating wins; short for --reward judge:model',
      group: 'Reward',
      reads: 'model',
      common: true,
      shownDefault: 'no judge',
    }),
    unsafeCode: option(z.boolean().default(false), {
      description: "run code from answers without a sandbox, with all of this user's rights",
      group: 'Reward',
      flagOnly: true,
    }),
    dryRun: option(z.boolean().default(false), {
      description:
        'show the entries, which of them would run and why, and their cost, without running them',
      group: call,
      flagOnly: true,
      common: true,
    }),
    overwrite: option(z.boolean().default(false), {
      description: 'delete the results in the folder and run every entry again',
      group: call,
      flagOnly: true,
    }),
  })
  .check((context) => {
    const { value, issues } = context;
    checkTraining({ value: { ...value, resume: false }, issues });
    if (value.judge !== null && value.reward !== null) {
      const message = `--reward ${value.reward} already decides which answer wins. Pass one of them`;
      issues.push({ code: 'custom', path: ['judge'], message, input: value });
    }
    // Duplicates of a run would make the spread over seeds look smaller than it is.
    for (const name of ['seeds', 'betas'] as const) {
      const twice = value[name]?.find((one, at, all) => all.indexOf(one) !== at);
      if (twice === undefined) continue;
      const message = `${twice} is listed twice. Remove the duplicate`;
      issues.push({ code: 'custom', path: [name], message, input: value });
    }
    for (const text of value.objectives ?? []) {
      const found = readObjective(text);
      if (typeof found === 'string') {
        issues.push({ code: 'custom', path: ['objectives'], message: found, input: value });
      }
    }
  });

/** Options of `keel compare`. `readComparison` reads the `entries` of the YAML file. */
export const compareDefinition = {
  ...defineOptions('compare', compareObject, {
    complete: (parsed) => ({
      ...parsed,
      lora: parsed.lora || parsed.adapter !== null,
      reward: parsed.judge === null ? parsed.reward : `judge:${parsed.judge}`,
      judge: null as string | null,
    }),
    exclusive: [...trainingExclusive, ['reward', 'judge']],
  }),
  parts: ['entries'],
};

export type CompareOptions = ReturnType<typeof compareDefinition.complete>;

export const defaultObjectives: readonly string[] = usualObjectives;
