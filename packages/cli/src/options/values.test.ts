// What an option's value means, of all options of all verbs: the same as a flag, in a file, and
// read back from config.yaml.

import { flagValue, type OptionDescriptor } from '@keel/align/config';
import { describe, expect, test } from 'vitest';
import { writeConfigYaml } from '../../../align/src/config/write-config.ts';
import { optionEntries } from '../../../align/src/config/yaml-config.ts';
import { parseYamlFile } from '../../../align/src/config/yaml-file.ts';
import { verbs } from '../verb-list.ts';

const definitions = await Promise.all(verbs.map(async (one) => (await one.options()).definition));

/** Numbers in [0, 1) that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const texts = [
  ...[
    'none',
    'None',
    'null',
    '~',
    'true',
    'no',
    'on',
    '123',
    '1e-5',
    '1_000',
    '0x10',
    '.nan',
    '-1',
  ],
  ...['a b', ' lead', 'trail ', 'a: b', '# x', '- y', 'x #y', "it's", 'say "hi"', 'two\nlines\n'],
  ...[
    '\ttab',
    '{a: 1}',
    '[a]',
    '*x',
    '&x',
    '!x',
    '%x',
    '@x',
    '`x`',
    '|',
    '>',
    'ä€😀',
    '\u2028',
    '\\n',
  ],
  ...[
    'hub:owner/name@v1',
    'runs/a,b',
    '=',
    '<<',
    '2026-11-28',
    'length:-20',
    '?',
    'C:\\x',
    '\u0007',
  ],
];

function randomValue(option: OptionDescriptor, random: () => number): unknown {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const one = (): unknown => {
    if (option.choices !== null) return pick(option.choices);
    switch (option.type) {
      case 'boolean':
        return random() < 0.5;
      case 'integer':
        return pick([0, 1, 7, 1000, -3, Number.MAX_SAFE_INTEGER, ...option.words]);
      case 'number':
        return pick([0, 0.1, 1e-7, 1e21, -2.5, 5e-324, 1.7976931348623157e308, random()]);
      case 'map':
        return pick([
          '{"a": 20.0, "b": [1, null, "none"], "c": {"d": true}}',
          '{}',
          '{"a": "1e5"}',
        ]);
      default:
        return pick(texts);
    }
  };
  if (option.nullable && random() < 0.2) return null;
  return option.list ? Array.from({ length: 1 + Math.floor(random() * 3) }, one) : one();
}

/** The texts that a flag is given for a value; null where no flag can give it. */
function flagTexts(option: OptionDescriptor, value: unknown): string | string[] | null {
  if (value === null) return option.literal ? null : 'none';
  const all = [value].flat().map(String);
  // Nothing tells a text from a word where there are no quotes, and a comma from another.
  const word = /^(?:none|null|~)$/i;
  const free = option.type === 'string' && option.choices === null;
  if (free && !option.literal && all.length === 1 && word.test(all[0]!)) return null;
  if (option.list && option.commas !== false && all.some((one) => /^\s|,|\s$/.test(one)))
    return null;
  return option.list ? all : all[0]!;
}

describe.each(definitions.map((one) => [one.verb, one] as const))('%s', (_, definition) => {
  const descriptors = definition.descriptors as readonly OptionDescriptor[];

  test('config.yaml reads back to the values that were written', () => {
    const random = randomNumbers(1);
    for (let round = 0; round < 60; round++) {
      const values = Object.fromEntries(
        descriptors
          .filter(({ flagOnly }) => !flagOnly)
          .map((option) => [option.name, randomValue(option, random)]),
      );
      const file = parseYamlFile(writeConfigYaml(definition, values), 'config.yaml', 'options');
      const { entries, problems } = optionEntries(file, file.pairs, descriptors);
      expect(problems).toEqual([]);
      expect(Object.fromEntries([...entries].map(([name, { value }]) => [name, value]))).toEqual(
        values,
      );
    }
  });

  test('a flag and a file give the same value', () => {
    const random = randomNumbers(2);
    for (let round = 0; round < 60; round++) {
      for (const option of descriptors) {
        const value = randomValue(option, random);
        const given = flagTexts(option, value);
        if (given !== null)
          expect([option.flag, flagValue(option, given)]).toEqual([option.flag, value]);
      }
    }
  });

  test('none, null and nothing are no value in a file', () => {
    for (const option of descriptors.filter(({ nullable, flagOnly }) => nullable && !flagOnly)) {
      for (const text of option.literal ? ['null', '~', ''] : ['none', 'None', 'null', '~', '']) {
        const file = parseYamlFile(`${option.yamlKey}: ${text}\n`, 'x.yaml', 'options');
        const { entries } = optionEntries(file, file.pairs, descriptors);
        expect([option.yamlKey, entries.get(option.name)?.value]).toEqual([option.yamlKey, null]);
      }
    }
  });
});
