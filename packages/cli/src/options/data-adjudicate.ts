import { defineOptions, option } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption, listingShape, projectOption } from './data-store-shape.ts';
import { withOperand } from './operand.ts';

/** Name of the option for the task that is settled. */
export const operand = 'task';

const group = 'Labels';
const text = z.string().min(1).nullable().default(null);
const common = { group, common: true } as const;
const choices = ['left', 'right', 'tie', 'both_bad', 'up', 'down'] as const;

const schema = z
  .strictObject({
    task: option(text, {
      description: 'id of the task to settle; without one, the disagreements are listed',
      group: 'Model and data',
      shownDefault: 'list disagreements',
    }),
    project: projectOption,
    database: databaseOption,
    choice: option(z.enum(choices).nullable().default(null), {
      description:
        'the verdict on a pair, by the order in which the list shows the answers, or on an answer',
      ...common,
      shownDefault: '--ranks of a ranking',
    }),
    ranks: option(z.array(z.number().int().min(1)).min(2).nullable().default(null), {
      description: 'the verdict on a ranking: the rank of each answer, 1 for the best',
      ...common,
      value: 'rank',
      shownDefault: '--choice',
    }),
    strength: option(z.number().min(0).nullable().default(null), {
      description: 'how much better the chosen answer is',
      ...common,
      shownDefault: 'not said',
    }),
    comment: option(text, {
      description: 'why',
      ...common,
      value: 'text',
      literal: true,
      shownDefault: 'none',
    }),
    edit: option(text, {
      description: 'file with a better answer, which outranks those that people wrote',
      ...common,
      reads: 'file',
      value: 'file',
      shownDefault: 'none',
    }),
    editOf: option(z.number().int().min(1).nullable().default(null), {
      description: 'number of the answer that the better one started from, 1 for the left one',
      ...common,
      value: 'n',
      shownDefault: 'none',
    }),
    person: option(text, {
      description: 'who settles the task',
      group,
      value: 'name',
      common: true,
      shownDefault: "the name of this machine's user",
    }),
    ...listingShape,
  })
  .check(({ value, issues }) => {
    const add = (path: string, message: string): void => {
      issues.push({ code: 'custom', path: [path], message, input: value });
    };
    const { task, choice, ranks, edit, editOf } = value;
    if (task === null) {
      for (const name of ['choice', 'ranks', 'strength', 'comment', 'edit', 'person'] as const)
        if (value[name] !== null) add(name, 'has an effect only with the id of a task');
    } else if ((choice === null) === (ranks === null))
      add('choice', 'pass either --choice, or --ranks for a ranking');
    if (edit === null && editOf !== null) add('editOf', 'has an effect only with --edit');
  });

export const definition = withOperand(
  operand,
  defineOptions('data adjudicate', schema, { complete: (parsed) => parsed }),
);

export type DataAdjudicateOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data adjudicate --project helpful';
