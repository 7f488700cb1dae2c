import { readFileSync } from 'node:fs';
import { lengthOnlyAccuracy } from '@keel/align/internal';
import { describe, expect, it } from 'vitest';
import { countSentences, judge, type QuestionKind, saysUnknowable } from './behaviour.ts';

interface Row {
  prompt: { content: string }[];
  chosen: { content: string }[];
  rejected: { content: string }[];
  kind: QuestionKind;
}

const rows = (name: string): Row[] =>
  readFileSync(new URL(`../../../../examples/data/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
const training = rows('concise-train');
const heldOut = rows('concise-held-out');

describe('judging an answer', () => {
  it.each([
    ['It is 100 °C at sea level.', 'known', true, true],
    ['It is 3.5 metres, about 11.5 ft. That is tall.', 'known', true, true],
    ['One. Two. Three.', 'known', true, false],
    ['It is 100 °C at sea', 'known', false, false],
    ['Do this:\n- wipe it\n- dry it', 'known', true, false],
    ["I can't know that.", 'known', true, false],
    ["I can't know what you ate. Ask someone who was there.", 'unknowable', true, true],
    ['There is no way for me to tell; look at the scoreboard.', 'unknowable', true, true],
    ['You had porridge with honey.', 'unknowable', true, false],
    ['', 'known', true, false],
  ] as const)('%j as %s', (text, kind, finished, passed) => {
    expect(judge(text, kind, finished).passed).toBe(passed);
  });

  it('counts sentences, not full stops', () => {
    expect(countSentences('Water boils at 99.97 °C. So be it!')).toBe(2);
    expect(countSentences('…')).toBe(0);
  });

  it('looks for the admission in the first sentence', () => {
    expect(saysUnknowable('It will rain. I cannot know more.')).toBe(false);
    expect(saysUnknowable('Nobody can know that yet.')).toBe(true);
  });
});

describe('the bundled data', () => {
  it('has enough rows, each prompt once', () => {
    expect(training.length).toBeGreaterThanOrEqual(240);
    expect(heldOut.length).toBeGreaterThanOrEqual(60);
    const prompts = [...training, ...heldOut].map((row) => row.prompt[0]!.content.toLowerCase());
    expect(new Set(prompts).size).toBe(prompts.length);
  });

  it('shows the behaviour in chosen answers and not in rejected ones', () => {
    for (const { chosen, rejected, kind } of [...training, ...heldOut]) {
      expect(judge(chosen[0]!.content, kind, true), chosen[0]!.content).toMatchObject({
        passed: true,
      });
      expect(judge(rejected[0]!.content, kind, true), rejected[0]!.content).toMatchObject({
        passed: false,
      });
    }
  });

  it('cannot be told apart by length', () => {
    const lengths = (list: Row[]) =>
      list.map(({ chosen, rejected }) => ({
        chosen: chosen[0]!.content.length,
        rejected: rejected[0]!.content.length,
      }));
    const { threshold, logistic } = lengthOnlyAccuracy(lengths(training), lengths(heldOut));
    expect(threshold).toBeLessThan(0.65);
    expect(logistic).toBeLessThan(0.65);
  });
});
