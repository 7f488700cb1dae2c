import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { defineOptions, option } from './options.ts';
import { resolveOptions } from './resolve-options.ts';

const definition = defineOptions(
  'try',
  z.strictObject({
    attacks: option(
      z
        .array(z.enum(['empty', 'long']))
        .nullable()
        .default(null),
      {
        description: 'attacks',
        group: 'Suites',
      },
    ),
    kind: option(z.enum(['one', 'two']).nullable().default(null), {
      description: 'kind',
      group: 'Suites',
    }),
  }),
  { complete: (options) => options },
);

const problem = (flags: Record<string, unknown>): string => {
  try {
    resolveOptions(definition, { flags });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
};

test('"none" is offered where it is a value, and not as an item of a list', () => {
  expect(problem({ kind: 'tow' })).toMatch(/one, two \(or none\)/);
  const item = problem({ attacks: ['emty'] });
  expect(item).toMatch(/did you mean "empty"/);
  expect(item).not.toContain('none');
});
