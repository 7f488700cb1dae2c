import { defineOptions, onlineShape, option, variant } from '@keel/align/config';
import { attackNames } from '@keel/evaluate/attacks';
import { z } from 'zod';
import { filesShape } from './data-shape.ts';
import { withOperand } from './operand.ts';
import { callShape, dataShape, machineShape } from './shared.ts';

export const operand = 'files';

const answers = 'Answers';
const rewards = 'Reward';

const schema = z
  .strictObject({
    files: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'answers to the same prompts before and after training: two files of rows with prompt and completion, as keel generate writes them',
      group: answers,
      reads: 'rows',
      common: true,
      shownDefault: 'use --run, or attack --reward',
    }),
    run: option(z.string().min(1).nullable().default(null), {
      description:
        'audit the samples of an online run: its held-out answers before and after, otherwise the first and the last answers to each prompt',
      group: answers,
      value: 'folder',
      common: true,
      shownDefault: 'none',
    }),
    since: option(z.number().int().min(0).nullable().default(null), {
      description:
        'compare with the held-out answers of the run after this many steps, such as those with the best gold reward',
      group: answers,
      value: 'step',
      shownDefault: 'before the first step',
    }),
    until: option(z.number().int().min(1).nullable().default(null), {
      description: 'audit the held-out answers of the run after this many steps',
      group: answers,
      value: 'step',
      shownDefault: 'the last evaluation',
    }),
    unpaired: option(z.enum(['fail', 'skip']).default('fail'), {
      description: 'what to do with an answer whose prompt the other file does not have',
      group: answers,
    }),
    onBadRow: dataShape.onBadRow,
    columns: dataShape.columns,
    wrapChat: dataShape.wrapChat,
    reward: option(z.string().min(1).nullable().default(null), {
      description:
        'the reward: a column of the rows, a spec (YAML, JSON), a folder of a reward model, module.ts, regex:/…/, length:…, penalty:…, code or judge:…; without files or --run, this reward is attacked',
      group: rewards,
      reads: 'reward',
      common: true,
      shownDefault: 'the column reward or score, if the rows have it',
    }),
    gold: option(z.string().min(1).nullable().default(null), {
      description:
        'what the reward stands for: a column, a part of the reward of --run, or another reward, as in --reward',
      group: rewards,
      reads: 'reward',
      common: true,
      shownDefault: 'the column gold, if the rows have it; without gold, there is no alarm',
    }),
    data: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'rows with real answers that the attacks are made from: pairs, rankings, answers, or prompts with the right answer in the column answer',
      group: rewards,
      reads: 'rows',
      common: true,
      shownDefault: "Keel's bundled pairs, examples/data/concise-held-out.jsonl of a clone",
    }),
    attacks: option(z.array(z.enum(attackNames)).min(1).nullable().default(null), {
      description: `attacks to make: ${attackNames.join(', ')}`,
      group: rewards,
      shownDefault: 'all',
    }),
    limit: option(z.number().int().min(1).nullable().default(null), {
      description: 'rows to attack at most',
      group: rewards,
      value: 'rows',
      common: true,
      shownDefault: '64',
    }),
    rewardConcurrency: onlineShape.rewardConcurrency,
    rewardTimeout: onlineShape.rewardTimeout,
    unsafeCode: onlineShape.unsafeCode,
    output: option(z.string().min(1).nullable().default(null), {
      description: 'folder for audit.json (attacks.json of an attack) and report.html',
      group: 'Output',
      value: 'folder',
      common: true,
      shownDefault: 'no files',
    }),
    overwrite: filesShape.overwrite,
    ...machineShape,
    ...callShape,
    json: variant(callShape.json, {
      description: 'print one JSON object with all numbers on stdout and nothing else',
      common: true,
    }),
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    const { files, run } = value;
    if (files !== null && run !== null) add('run', 'pass either two files or --run');
    if (files !== null && files.length !== 2) {
      add('files', `expected two files, before and after, found ${files.length}`);
    }
    const compares = files !== null || run !== null;
    if (!compares && value.reward === null) {
      add('files', 'nothing to audit. Pass two files of answers, --run, or --reward to attack it');
    }
    if (!compares && value.gold !== null) {
      add('gold', 'has no effect without answers before and after. Pass two files or --run');
    }
    for (const name of ['data', 'attacks', 'limit'] as const) {
      if (compares && value[name] !== null)
        add(
          name,
          'has no effect with answers before and after: it is for attacks on --reward alone',
        );
    }
    const given = {
      onBadRow: value.onBadRow !== 'fail',
      columns: value.columns !== null,
      wrapChat: value.wrapChat,
    };
    for (const name of ['since', 'until'] as const) {
      if (value[name] !== null && run === null) {
        add(name, 'has no effect without --run, whose evaluations it selects');
      }
    }
    for (const [name, is] of Object.entries(given)) {
      if (is && run !== null) add(name, 'has no effect with --run, which reads samples of a run');
    }
    if (!compares && value.unpaired !== 'fail') {
      add('unpaired', 'has no effect without answers before and after. Pass two files or --run');
    }
    if (value.overwrite && value.output === null)
      add('overwrite', 'has no effect without --output. Pass --output too');
  });

export const definition = withOperand(
  operand,
  defineOptions('audit', schema, { complete: (options) => options }),
);

export type AuditVerbOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel audit before.jsonl after.jsonl --gold judge:judge.yaml';
