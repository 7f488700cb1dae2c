import { expect, it } from 'vitest';
import { BINS, CommonShingles, signatureOf, similarity } from './min-hash.ts';
import { NearDuplicates } from './near-duplicates.ts';

/** Words that no two texts share by default. */
const words = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `w${((from + at) * 7919).toString(36)}`);

const sentence = (from: number, count = 40): string => words(from, count).join(' ');

/** The share of five-character sequences that two texts have in common. */
function jaccard(one: string, other: string): number {
  const shingles = (text: string) =>
    new Set(Array.from({ length: text.length - 4 }, (_, at) => text.slice(at, at + 5)));
  const [a, b] = [shingles(one), shingles(other)];
  return a.intersection(b).size / a.union(b).size;
}

it('estimates the similarity of texts, of short ones too', () => {
  const none = new CommonShingles();
  const errors: number[] = [];
  for (const length of [5, 20, 100, 400]) {
    for (const changed of [0, 1, 3, 10, 40]) {
      const one = words(length * 1000, length);
      const other = one.map((word, at) => (at < changed ? `x${word}` : word));
      const texts = [one.join(' '), other.join(' ')] as const;
      const [a, b] = texts.map((text) => signatureOf(text, none)!) as [Uint16Array, Uint16Array];
      errors.push(Math.abs(similarity(a, b) - jaccard(...texts)));
    }
  }
  const standardError = Math.sqrt(0.25 / BINS);
  expect(Math.max(...errors)).toBeLessThan(4 * standardError);
  expect(errors.reduce((sum, one) => sum + one) / errors.length).toBeLessThan(standardError);
});

it('has no signature of a text that is too short to compare', () => {
  expect(signatureOf('hello world', new CommonShingles())).toBeNull();
  expect(signatureOf('hello, world!', new CommonShingles())).not.toBeNull();
});

it('finds a text in which a word was changed, and no other', () => {
  const near = new NearDuplicates();
  for (let text = 0; text < 300; text++) near.add(sentence(100 * text), text);
  near.add(`${sentence(100 * 17)} indeed`, 1000);
  near.add(sentence(100 * 250).replace(words(100 * 250 + 20, 1)[0]!, 'other'), 1001);
  near.add(sentence(100 * 999), 1002);
  near.finish();
  expect(near.found).toEqual([
    { item: 1000, earlier: 17 },
    { item: 1001, earlier: 250 },
  ]);
  expect(near.match(`well ${sentence(100 * 42)}`)).toBe(42);
  expect(near.match(sentence(100 * 998))).toBeNull();
});

it('ignores instructions that many texts share', () => {
  const instructions = sentence(1_000_000, 200);
  const near = new NearDuplicates();
  for (let text = 0; text < 50; text++)
    near.add(`${instructions} ${sentence(100 * text, 6)}`, text);
  near.add(`${instructions} ${sentence(100 * 7, 6)}!`, 50);
  near.finish();
  expect(near.found).toEqual([{ item: 50, earlier: 7 }]);
});

it('finds repeats after many texts, whose tables have grown', () => {
  const near = new NearDuplicates();
  const count = 3000;
  for (let text = 0; text < count; text++) near.add(sentence(50 * text, 12), text);
  near.finish();
  expect(near.found).toEqual([]);
  for (const text of [0, 1, 999, 1500, count - 1]) {
    expect(near.match(`${sentence(50 * text, 12)}.`)).toBe(text);
  }
});
