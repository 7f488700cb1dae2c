import { Ajv2020 } from 'ajv/dist/2020.js';
import { default as addFormats } from 'ajv-formats';
import { describe, expect, it, test } from 'vitest';
import { randomSchema, seededRandom } from '../testing/random-schema.ts';
import { compileTiny, reads, tinyTokenizer } from '../testing/reads.ts';
import { sampleUniformly } from '../testing/sample-uniformly.ts';
import { formats } from './formats.ts';

const compile = (schema: unknown) => compileTiny({ kind: 'json-schema', schema });

function validator(schema: unknown): (value: unknown) => boolean {
  const ajv = new Ajv2020({ strict: false, logger: false });
  addFormats.default(ajv);
  return ajv.compile(schema as object);
}

test('whatever is drawn for random schemas is valid, says an independent validator', async () => {
  let [compiled, impossible] = [0, 0];
  for (let seed = 0; seed < 60; seed++) {
    const schema = randomSchema(seededRandom(seed));
    const constraint = await compile(schema).catch((error: Error) => {
      expect(error.message).toMatch(/^no (value|text) matches/);
      return null;
    });
    if (constraint === null) {
      impossible += 1;
      continue;
    }
    compiled += 1;
    const isValid = validator(schema);
    for (const repeat of [0, 1]) {
      const drawn = sampleUniformly(constraint, new Set([0]), seededRandom(seed + repeat), 600);
      const text = tinyTokenizer.decode(drawn!);
      expect(isValid(JSON.parse(text)), `seed ${seed}: ${text}`).toBe(true);
    }
  }
  expect(compiled).toBeGreaterThan(20 * impossible);
});

test.each(Object.keys(formats))('the format %s is that of the validator', async (format) => {
  const schema = { type: 'string', format };
  const [constraint, isValid] = [await compile(schema), validator(schema)];
  for (let seed = 0; seed < 15; seed++) {
    const drawn = sampleUniformly(constraint, new Set([0]), seededRandom(seed), 400);
    const text = tinyTokenizer.decode(drawn!);
    expect(isValid(JSON.parse(text)), text).toBe(true);
  }
});

const object = (properties: object, more: object = {}): object => ({
  ...{ type: 'object', properties },
  ...more,
});

// What is valid is also allowed, within the limits that the guide states.
it.each([
  [{ type: 'string' }, ['""', '"a\\n\\u00e9\\ud83d\\ude00é😀"'], ['"', '"\\ud83d"', '"\n"', 'a']],
  [
    { type: 'string', minLength: 2, maxLength: 3 },
    ['"ab"', '"😀é\\n"'],
    ['"a"', '"abcd"', '"\\ud83d\\ude00"'],
  ],
  [{ type: 'string', pattern: '^"+$' }, ['"\\""'], ['""', '"a"']],
  [{ type: 'string', pattern: 'b' }, ['"abc"'], ['"ac"']],
  [{ type: 'string', pattern: '^a', maxLength: 2 }, ['"a"', '"ab"'], ['"abc"', '"b"']],
  [{ type: 'integer' }, ['0', '-12'], ['01', '1.0', '+1', '1e3', '-']],
  [
    { type: 'integer', minimum: -3, exclusiveMaximum: 12 },
    ['-3', '0', '9', '11'],
    ['-4', '12', '100'],
  ],
  [{ type: 'integer', multipleOf: 3, minimum: 5 }, ['6', '9', '300'], ['5', '3', '7']],
  [{ type: 'number' }, ['0', '-1.50', '2e-9', '1E+20'], ['.5', '1.', 'NaN', '1e400']],
  [
    { type: 'number', minimum: 0.25, maximum: 10 },
    ['0.25', '10', '10.00', '3.999'],
    ['0.2', '0.249', '10.01', '-1'],
  ],
  [{ type: 'number', exclusiveMinimum: 1 }, ['1.01', '2'], ['1', '1.00', '0']],
  [{ type: ['null', 'boolean'] }, ['null', 'true'], ['0']],
  [{ enum: ['a', 1, { b: [null] }] }, ['"a"', '1', '{"b": [null]}'], ['2', '{"b":[]}']],
  [{ enum: [1, 20, 'x'], minimum: 5 }, ['20', '"x"'], ['1']],
  [{ const: 'é"' }, ['"é\\""'], ['"e"']],
  [
    { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 2 },
    ['[1]', '[1, 2]', '[\n  1,\n  2\n]'],
    ['[]', '[1,2,3]', '[1 ,2]', '["a"]'],
  ],
  [
    { type: 'array', prefixItems: [{ type: 'null' }, { type: 'integer' }] },
    ['[]', '[null]', '[null,1]'],
    ['[1]', '[null,1,1]'],
  ],
  [
    { type: 'array', prefixItems: [{ type: 'null' }], items: { type: 'integer' }, minItems: 2 },
    ['[null,1]', '[null,1,2]'],
    ['[null]'],
  ],
  [
    { type: 'array', items: [{ type: 'null' }], additionalItems: { type: 'integer' } },
    ['[null,1]'],
    ['[1]'],
  ],
  [
    object({ a: { type: 'integer' }, b: { type: 'null' } }, { required: ['b'] }),
    ['{"b":null}', '{"a": 1, "b": null}', '{\n\t"a":1,\n\t"b":null\n}'],
    ['{}', '{"a":1}', '{"b":null,"c":1}'],
  ],
  [
    object({ a: { type: 'integer' } }, { additionalProperties: { type: 'null' } }),
    ['{}', '{"c":null}', '{"a":1,"é\\"":null}'],
    ['{"a":null}', '{"\\u0061":null}', '{"c":1}'],
  ],
  [
    object({}, { patternProperties: { '^n': { type: 'null' }, x$: { enum: [1, null] } } }),
    ['{"n":null,"ax":1}', '{"nx":null}'],
    ['{"nx":1}', '{"a":1}'],
  ],
  [{ type: 'object', propertyNames: { enum: ['k'] } }, ['{"k":[1]}'], ['{"l":1}']],
  [
    object({ a: true, b: true, c: true }, { minProperties: 1, maxProperties: 2 }),
    ['{"a":1}', '{"a":1,"c":2}'],
    ['{}', '{"a":1,"b":1,"c":1}'],
  ],
  [{ type: 'object', required: ['k'] }, ['{"k":[{}]}'], ['{}', '{"l":1}']],
  [{ anyOf: [{ type: 'integer' }, { const: 'x' }] }, ['1', '"x"'], ['"y"']],
  [
    object(
      { a: { type: 'null' }, b: { type: 'null' } },
      { anyOf: [{ required: ['a'] }, { required: ['b'] }] },
    ),
    ['{"a":null}', '{"b":null}'],
    ['{}'],
  ],
  [
    { allOf: [{ type: 'string', minLength: 2 }, { pattern: '^a' }, { maxLength: 3 }] },
    ['"ab"', '"abc"'],
    ['"a"', '"abcd"', '"ba"'],
  ],
  [
    {
      allOf: [
        object({ a: { type: 'integer' } }),
        object({ a: { minimum: 5 }, b: true }, { required: ['a'] }),
      ],
    },
    ['{"a":5}', '{"a":7,"b":[]}'],
    ['{"a":4}', '{"b":1}'],
  ],
  [
    {
      oneOf: [
        object({ t: { const: 'x' } }, { required: ['t'] }),
        object({ t: { const: 'y' } }, { required: ['t'] }),
      ],
    },
    ['{"t":"x"}', '{"t":"y"}'],
    ['{"t":"z"}', '{}'],
  ],
  [
    { $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'array', items: { $ref: '#' } } } },
    ['[]', '[[],[[]]]'],
    ['[1]'],
  ],
  [{ type: 'string', $ref: '#/$defs/s', $defs: { s: { maxLength: 1 } } }, ['"a"'], ['"ab"']],
  [true, ['1', '{"a":[null,"x"]}'], ['a', '']],
])('%j', async (schema, allowed, refused) => {
  const constraint = await compile(schema);
  const isValid = validator(withoutItemLists(schema));
  for (const text of allowed) {
    expect(reads(constraint, text), text).toBe(true);
    expect(isValid(JSON.parse(text)), text).toBe(true);
  }
  for (const text of refused) expect(reads(constraint, text), text).toBe(false);
});

/** Lists of items in the form of the draft of 2020. */
function withoutItemLists(schema: unknown): unknown {
  const { items, additionalItems, ...rest } = schema as Record<string, unknown>;
  if (!Array.isArray(items)) return schema;
  return { ...rest, prefixItems: items, items: additionalItems };
}

describe('what is not enforced is refused by name, with its place', () => {
  it.each([
    [object({ a: { not: { type: 'null' } } }), /#\/properties\/a has the keyword not,/],
    [{ type: 'array', uniqueItems: true }, /# has uniqueItems true/],
    [{ if: {}, else: {} }, /keyword if,/],
    [{ type: 'array', contains: {} }, /keyword contains,/],
    [{ dependentRequired: {} }, /keyword dependentRequired,/],
    [{ unevaluatedProperties: false }, /keyword unevaluatedProperties,/],
    [{ type: 'string', minLenght: 3 }, /keyword minLenght,/],
    [{ type: 'string', format: 'iri' }, /has format "iri", expected one of date,/],
    [{ type: 'number', multipleOf: 0.01 }, /multipleOf 0.01, expected a whole number/],
    [{ type: 'text' }, /has type "text", expected one of object,/],
    [{ type: 'string', maxLength: -1 }, /has maxLength -1/],
    [{ type: 'string', pattern: '(?=a)' }, /at character 1, a look-around/],
    [{ $ref: 'https://example.com/a.json' }, /only references within the schema/],
    [{ $ref: '#/$defs/none' }, /\$ref #\/\$defs\/none, but there is no such place/],
    [{ $ref: '#' }, /refers to itself/],
    [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, /alternatives 0 and 1 may both match/],
    [{ oneOf: [object({ a: true }), object({ b: true })] }, /oneOf, whose alternatives 0 and 1/],
    [
      { type: 'object', minProperties: 2, additionalProperties: true },
      /minProperties 2, which is only enforced up to/,
    ],
    [{ prefixItems: [true], additionalItems: false }, /additionalItems without a list of items/],
    [{ properties: { a: 3 } }, /has properties .*expected an object of schemas/],
    ['string', /the JSON schema at # is "string", expected a schema/],
  ])('%j', async (schema, message) => {
    await expect(compile(schema)).rejects.toThrow(message);
  });

  it.each([
    [false],
    [{ type: 'string', minLength: 3, maxLength: 2 }],
    [{ allOf: [{ type: 'string' }, { type: 'null' }] }],
    [object({ a: false }, { required: ['a'] })],
    [
      {
        $ref: '#/$defs/a',
        $defs: { a: object({ a: { $ref: '#/$defs/a' } }, { required: ['a'] }) },
      },
    ],
    [{ enum: [1, 2], minimum: 3 }],
  ])('that nothing can match is an error: %j', async (schema) => {
    await expect(compile(schema)).rejects.toThrow(/^no (value|text) matches/);
  });
});
