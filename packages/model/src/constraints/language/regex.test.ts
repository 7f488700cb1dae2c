import { describe, expect, it } from 'vitest';
import { seededRandom } from '../testing/random-schema.ts';
import { compileTiny, reads, tinyTokenizer } from '../testing/reads.ts';
import { sampleUniformly } from '../testing/sample-uniformly.ts';
import { automaton, both, isNothing, matches, otherTexts } from './automaton.ts';
import { regexExpression } from './regex.ts';

const patterns = [
  ...['a', 'ab|b', '(ab)*', 'a+b?', 'a{2}', 'a{1,2}b{0,2}', '[ab]{2,}', '[^a]', '.', '', 'a|'],
  ...['^a', 'b$', '^ab$', '^$', '(^a|b$)', '^a|b$', 'a(^b)?', '(?:^|b)a', '(a|^)(b|$)', 'a$b'],
  ...['\\x61\\u0062', '\\u{62}+', '[a-c]+?', '(?<name>a)b', '\\w\\W?', '\\d', '[\\s\\d]', '\\n'],
  ...['\\p{Ll}+', '\\P{L}', '[\\]\\-a]', '\\.', 'é', '[à-ü]', '😀', '\\ud83d\\ude00', '\\cJ'],
];

/** All texts of up to three of these letters, and some others. */
const texts = (() => {
  const letters = ['a', 'b', 'é', '\n', '😀'];
  const all = [''];
  for (let from = 0, length = 0; length < 3; length++) {
    const end = all.length;
    for (; from < end; from++) all.push(...letters.map((letter) => all[from] + letter));
  }
  return [...all, 'abab', 'aabb', '-', '.', ' ', '1', ']', 'caba', 'ba😀'];
})();

describe.each(['whole', 'part'] as const)('of the %s text', (extent) => {
  it.each(patterns)('%s matches what JavaScript matches', (pattern) => {
    const own = automaton(regexExpression(pattern, extent));
    const other = automaton(regexExpression(pattern, extent));
    const regex = new RegExp(extent === 'whole' ? `^(?:${pattern})$` : pattern, 'u');
    for (const text of texts) {
      expect(matches(own, text), JSON.stringify(text)).toBe(regex.test(text));
      expect(matches(otherTexts(other), text), JSON.stringify(text)).toBe(!regex.test(text));
    }
    expect(isNothing(both(own, otherTexts(other)))).toBe(true);
  });
});

it.each(
  patterns.filter((pattern) => !/\$b|\(\^b/.test(pattern)),
)('answers to %s match it', async (pattern) => {
  const constraint = await compileTiny({ kind: 'regex', pattern });
  for (let seed = 0; seed < 20; seed++) {
    const drawn = sampleUniformly(constraint, new Set([0]), seededRandom(seed), 40);
    const text = tinyTokenizer.decode(drawn!);
    expect(text).toMatch(new RegExp(`^(?:${pattern})$`, 'u'));
    expect(reads(constraint, text)).toBe(true);
  }
});

it.each([
  ['a(b', /at character 2, a \( without its \)/],
  ['a)b', /at character 2, a \) without a \(/],
  ['[a', /at character 1, a \[ without its \]/],
  ['*a', /at character 1, \* with nothing to repeat/],
  ['a**', /at character 3, nothing to repeat/],
  ['a{2', /at character 2, a \{ that is neither/],
  ['a{3,2}', /whose numbers are swapped/],
  ['a{20000}', /a count above 10000/],
  ['(?=a)', /a look-around \(\?=/],
  ['(?<!a)b', /a look-around \(\?<!/],
  ['(?i)a', /the group \(\?i/],
  ['(a)\\1', /at character 4, a back-reference/],
  ['a\\b', /a word border/],
  ['a++', /a possessive quantifier/],
  ['\\q', /the unknown escape \\q/],
  ['\\u12', /an escape without its 4 hexadecimal digits/],
  ['\\p{Nothing}', /the unknown property/],
  ['[b-a]', /a range whose ends are swapped/],
  ['^*', /a repeated \^ or \$/],
])('%s is refused with the place', async (pattern, message) => {
  await expect(compileTiny({ kind: 'regex', pattern })).rejects.toThrow(message);
});

it.each(['a$b', '[^\\s\\S]', '(a|b)^c'])('that nothing matches %s is an error', async (pattern) => {
  await expect(compileTiny({ kind: 'regex', pattern })).rejects.toThrow('no text matches');
});
