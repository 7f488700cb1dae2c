import { z } from 'zod';
import { defineOptions, option } from '../config/options.ts';
import { checkTraining, trainingExclusive, trainingShape } from '../config/training-options.ts';
import { readObjective } from './objective-name.ts';

const entries = 'Entries';
const evaluation = 'Evaluation';
const call = 'This call';

/** What an hour on a laptop is well spent on where nothing else is known. */
const usualObjectives = ['sigmoid', 'ipo', 'kto', 'simpo', 'orpo'];

const {
  seed: _seed,
  resume: _resume,
  profile: _profile,
  profileSteps: _steps,
  logEvery: _logEvery,
  ...shape
} = trainingShape;

const compareObject = z
  .strictObject({
    ...shape,
    evalData: option(z.array(z.string().min(1)).min(1), {
      description: 'held-out pairs that every entry is measured on',
      group: 'Model and data',
      value: 'path',
      commas: false,
    }),
    output: option(z.string().min(1), {
      description:
        "the comparison's folder, for example runs/compare; each entry's run is a folder in it",
      group: 'Model and data',
      value: 'folder',
    }),
    shuffle: option(trainingShape.shuffle, {
      description: "keep the files' own order; else a new order every epoch, drawn from --seeds",
      group: 'Batching and length',
    }),
    objectives: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'objectives of keel dpo and keel kto (dpo stands for sigmoid), or sums of them as sigmoid+0.2*chosen_nll; none: the entries of --config',
      group: entries,
      value: 'name',
      shownDefault: usualObjectives.join(','),
    }),
    betas: option(z.array(z.number().positive()).min(1).nullable().default(null), {
      description: "betas that each objective is run with; none: each objective's own",
      group: entries,
      value: 'beta',
    }),
    seeds: option(z.array(z.number().int().min(0)).min(1).default([42]), {
      description: 'seeds that each is run with: of row order, LoRA weights and dropout',
      group: entries,
      value: 'seed',
    }),
    evalPrompts: option(z.number().int().min(1).default(64), {
      description: 'first held-out prompts that every entry answers, each prompt once',
      group: evaluation,
      value: 'prompts',
    }),
    maxNewTokens: option(z.number().int().min(1).default(128), {
      description: 'tokens after which an answer is cut off',
      group: evaluation,
      value: 'tokens',
    }),
    evalSeed: option(z.number().int().min(0).default(0), {
      description: 'seed of the answers, the same for all entries',
      group: evaluation,
      value: 'seed',
    }),
    evalSteps: option(trainingShape.evalSteps, {
      description:
        "optimizer steps between evaluations inside each entry's run, for its own report; none: entries are measured when they have ended, and not before",
      group: evaluation,
    }),
    reward: option(z.string().min(1).nullable().default(null), {
      description:
        "who says which answer wins against the reference's: a spec (YAML, JSON), a folder of a reward model, module.ts, regex:/…/, length:…, code, judge:model; none: no win rate",
      group: evaluation,
      value: 'reward',
    }),
    judge: option(z.string().min(1).nullable().default(null), {
      description:
        'a model that rates every answer from 1 to 10, in place of --reward: the answer with the higher rating wins. Short for --reward judge:model',
      group: evaluation,
      value: 'model',
    }),
    unsafeCode: option(z.boolean().default(false), {
      description: 'run code of answers without a sandbox, with all rights of this user',
      group: evaluation,
      flagOnly: true,
    }),
    dryRun: option(z.boolean().default(false), {
      description:
        'show the entries, which of them would run and why, and what they cost, and run nothing',
      group: call,
      flagOnly: true,
    }),
    overwrite: option(z.boolean().default(false), {
      description: 'run every entry anew and throw away what is there',
      group: call,
      flagOnly: true,
    }),
  })
  .check((context) => {
    const { value, issues } = context;
    checkTraining({ value: { ...value, resume: false }, issues });
    if (value.judge !== null && value.reward !== null) {
      const message = `--reward ${value.reward} says already who wins: give one of them`;
      issues.push({ code: 'custom', path: ['judge'], message, input: value });
    }
    // The same run twice would pass for two, and its spread for none.
    for (const name of ['seeds', 'betas'] as const) {
      const twice = value[name]?.find((one, at, all) => all.indexOf(one) !== at);
      if (twice === undefined) continue;
      const message = `${twice} stands there twice: it would be the same run`;
      issues.push({ code: 'custom', path: [name], message, input: value });
    }
    for (const text of value.objectives ?? []) {
      const found = readObjective(text);
      if (typeof found === 'string') {
        issues.push({ code: 'custom', path: ['objectives'], message: found, input: value });
      }
    }
  });

/** Options of `keel compare`. Entries of the YAML file (`entries`) are read by `readComparison`. */
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
