import { expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { defineOptions, option } from './options.ts';
import { programOptions } from './program-options.ts';

const group = 'Objective';
const definition = defineOptions(
  'test',
  z
    .strictObject({
      data: option(z.array(z.string()).min(1), { description: 'rows', group, reads: 'rows' }),
      loss: option(z.array(z.enum(['sigmoid', 'ipo'])).default(['sigmoid']), {
        description: 'objective',
        group,
      }),
      learningRate: option(z.number().positive().nullable().default(null), {
        description: 'rate',
        group,
      }),
      numGenerations: option(z.int().min(1).default(8), { description: 'answers', group }),
      lora: option(z.boolean().default(true), { description: 'train adapters', group }),
      kwargs: option(z.string().nullable().default(null), {
        description: 'variables',
        group,
        mapping: true,
      }),
    })
    .check(({ value, issues }) => {
      if (value.lora || value.numGenerations === 8) return;
      const message = 'needs LoRA. Remove --no-lora, or pass --num-generations 8';
      issues.push({ code: 'custom', path: ['numGenerations'], message, input: value });
    }),
  { complete: (parsed) => parsed },
);
const read = (given: Record<string, unknown>) => programOptions(definition, given);

function problemsOf(given: Record<string, unknown>): readonly string[] {
  try {
    read(given);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  throw new Error('the options are valid');
}

it('a list of one value may be that value; undefined is no value; a map may be an object', () => {
  const given = { data: 'x.jsonl', loss: 'ipo', learningRate: undefined, kwargs: { deep: true } };
  expect(read(given)).toEqual({
    ...{ data: ['x.jsonl'], loss: ['ipo'], learningRate: null, numGenerations: 8, lora: true },
    kwargs: '{"deep":true}',
  });
  expect(read({ data: ['a, b.jsonl', 'c'] }).data).toEqual(['a, b.jsonl', 'c']);
});

it('all problems are reported at once, by the names of the options', () => {
  expect(problemsOf({ loss: 'ippo', learningRate: -1, numGenerations: '4' })).toEqual([
    'data is required: rows',
    expect.stringMatching(/^loss: .*"ippo".*"ipo".*sigmoid, ipo$/s),
    expect.stringMatching(/^learningRate: .*\b0\b.*-1/),
    expect.stringMatching(/^numGenerations: .*"4"/),
  ]);
});

it.each([
  ['learningrate', 'learningRate'],
  ['learning_rate', 'learningRate'],
  ['--learning-rate', 'learningRate'],
  // TRL's names, in snake case or camel case.
  ['reward_funcs', 'Use one of'],
  ['numMiniBatches', 'Use one of'],
  ['loss_type', 'use loss'],
  ['lr', 'use learningRate'],
])('an unknown option "%s" names %s', (name, known) => {
  const [problem] = problemsOf({ data: 'x', [name]: 1 });
  expect(problem).toContain(`"${name}"`);
  expect(problem).toContain(known);
});

it('a message about several options names none of their flags', () => {
  const [problem] = problemsOf({ data: 'x', lora: false, numGenerations: 4 });
  expect(problem).toMatch(/^numGenerations: .*lora: false.*numGenerations 8$/);
  expect(problem).not.toContain('--');
});
