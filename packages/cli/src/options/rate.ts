import { defineOptions, option, variant } from '@keel/align/config';
import { z } from 'zod';
import { filesShape, operand } from './data-shape.ts';
import { withOperand } from './operand.ts';

export { operand };

const rows = 'Model and data';
const ratings = 'Ratings';

/** `name=1000`, or a name alone; a name may contain `=`. */
function anchorOf(text: string): { name: string; rating: number } {
  const [, name, rating] = /^(.+)=\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text) ?? [];
  return name === undefined ? { name: text, rating: 1000 } : { name, rating: Number(rating) };
}

const assignments = (expected: string) =>
  z.array(
    z.string().refine((text) => /^[^=]+=.*\S/s.test(text), { error: `expected ${expected}` }),
  );

const schema = z
  .strictObject({
    files: variant(filesShape.files, {
      description:
        'battles: Chatbot Arena rows or votes, verdicts of keel judge, alpaca_eval annotations, labels of people and others; JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    }),
    columns: option(
      assignments('field=column, such as winner=vote').min(1).nullable().default(null),
      {
        description:
          'names of your columns, as field=column, such as model_a=left,model_b=right,winner=vote',
        group: rows,
        value: 'field=column',
        common: true,
        shownDefault: 'columns have the names of a known format',
      },
    ),
    only: option(assignments('column=value, such as language=English').default([]), {
      description:
        'use only rows with this value, such as language=English or anony=true; a column inside an object is written as outer.inner',
      group: rows,
      value: 'column=value',
      common: true,
      shownDefault: 'all rows',
    }),
    exclude: option(z.array(z.string().min(1)).default([]), {
      description: 'models whose battles are not used',
      group: rows,
      value: 'model',
      common: true,
      shownDefault: 'none',
    }),
    onBadRow: variant(filesShape.onBadRow, { common: true }),
    anchor: option(z.string().min(1).nullable().default(null), {
      description: 'model whose rating is fixed, as name or name=rating, such as base=1000',
      group: ratings,
      value: 'model',
      common: true,
      shownDefault: 'the mean rating is 1000',
    }),
    intervals: option(z.enum(['sandwich', 'bootstrap']).default('sandwich'), {
      description:
        'how 95% intervals are computed; both count the battles on one prompt as one cluster',
      group: ratings,
      common: true,
    }),
    resamples: option(z.number().int().min(50).default(1000), {
      description: 'bootstrap samples for --intervals bootstrap',
      group: ratings,
    }),
    seed: option(z.number().int().min(0).default(42), {
      description: 'seed for --intervals bootstrap',
      group: ratings,
    }),
    cluster: option(z.string().min(1).nullable().default('prompt'), {
      description:
        'column whose equal values make battles dependent; prompt: the text of the prompt; none: all battles are independent',
      group: ratings,
      value: 'column',
    }),
    balancePairs: option(z.number().int().min(1).nullable().default(null), {
      description:
        'give every pair of models the same weight: a battle counts 1 / max(battles of its pair, n); arena-rank uses 50',
      group: ratings,
      bare: 50,
      common: true,
      shownDefault: 'all battles count the same',
    }),
    prior: option(z.number().positive().nullable().default(null), {
      description:
        'standard deviation, in points, of a normal prior of the ratings; models that won or lost everything, or never met, then have a rating',
      group: ratings,
      value: 'points',
      common: true,
      shownDefault: 'no prior',
    }),
    styleControl: option(z.boolean().default(false), {
      description:
        'rate at equal style: length, headers, lists and bold text of the answers are features of the fit',
      group: ratings,
      common: true,
    }),
    elo: option(z.number().positive().nullable().default(null), {
      description: "also show Elo's online rating with this K, in the order of the rows",
      group: ratings,
      value: 'K',
      bare: 4,
      common: true,
      shownDefault: 'not shown',
    }),
    by: option(z.string().min(1).nullable().default(null), {
      description: 'also rate the battles of each value of this column, such as category or judge',
      group: ratings,
      value: 'column',
      common: true,
      shownDefault: 'no categories',
    }),
    matrix: option(z.boolean().default(false), {
      description: 'show the win rates between all models',
      group: 'Output',
      common: true,
    }),
    next: option(z.number().int().min(0).max(1000).default(1), {
      description: 'battles to suggest: those that make the ratings most certain',
      group: 'Output',
      common: true,
    }),
    output: option(z.string().min(1).nullable().default(null), {
      description: 'folder for ratings.json, ratings.csv and report.html',
      group: 'Output',
      value: 'folder',
      common: true,
      shownDefault: 'no files',
    }),
    overwrite: filesShape.overwrite,
    json: variant(filesShape.json, {
      description: 'print one JSON object with all numbers on stdout and nothing else',
    }),
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    if (value.overwrite && value.output === null)
      add('overwrite', 'has no effect without --output. Pass --output too');
    if (value.anchor !== null && value.exclude.includes(anchorOf(value.anchor).name))
      add('anchor', `${anchorOf(value.anchor).name} is in --exclude too. Leave one of them out`);
  });

export const definition = withOperand(
  operand,
  defineOptions('rate', schema, {
    complete: ({ anchor, ...parsed }) => ({
      ...parsed,
      anchor: anchor === null ? null : anchorOf(anchor),
    }),
  }),
);

export type RateOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel rate battles.jsonl --by category --matrix --output ratings';
