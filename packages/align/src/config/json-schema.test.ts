import { expect, test } from 'vitest';
import { defineDpoOptions } from '../methods/pairs/dpo-options.ts';
import { optionsJsonSchema } from './json-schema.ts';

const schema = optionsJsonSchema(defineDpoOptions(['sigmoid', 'ipo']));
const properties = schema.properties as Record<string, Record<string, unknown>>;

test('keys are snake_case, and command-line-only flags are absent', () => {
  expect(properties.learning_rate).toBeDefined();
  expect(properties.learningRate).toBeUndefined();
  expect(properties.resume).toBeUndefined();
  expect(schema).toMatchObject({ title: 'keel dpo', additionalProperties: false });
});

test('descriptions, defaults and ranges match the options', () => {
  expect(properties.epochs).toMatchObject({ default: 1, type: 'number', exclusiveMinimum: 0 });
  expect(properties.beta).toMatchObject({ default: null });
  expect(properties.simpo_gamma).toEqual({
    description: expect.stringMatching(/^simpo, alphapo: .* \(default: 1\)$/),
    type: 'number',
    minimum: 0,
  });
  expect(properties.warmup_steps).toMatchObject({ type: 'integer', minimum: 0 });
  expect(properties.warmup_steps).not.toHaveProperty('maximum');
});

test('a list may be written as a single value', () => {
  const item = { type: 'string', enum: ['sigmoid', 'ipo'] };
  expect(properties.loss!.anyOf).toEqual([{ type: 'array', minItems: 1, items: item }, item]);
  expect(properties.loss_weights!.anyOf).toEqual([
    { type: 'array', items: { type: 'number' } },
    { type: 'null' },
    { type: 'number' },
    { const: 'none' },
  ]);
});
