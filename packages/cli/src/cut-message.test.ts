import { expect, test } from 'vitest';
import { cutMessage } from './cut-message.ts';

test('messages of normal length are unchanged', () => {
  const text = `rows.jsonl:12: \`chosen\` is empty.\n${'x'.repeat(1000)}\nFix the row.`;
  expect(cutMessage(text)).toBe(text);
});

test('a long line keeps its start and its end', () => {
  const cut = cutMessage(`rows.jsonl:12: found ${'x'.repeat(1e7)}. Fix the row.\nMore.`);
  expect(cut.length).toBeLessThan(1000);
  expect(cut).toMatch(/^rows\.jsonl:12: found x+ … \(9,9\d\d,\d\d\d more characters\) … x+\. /);
  expect(cut.endsWith('. Fix the row.\nMore.')).toBe(true);
});

test('many lines are cut too, never in the middle of a character', () => {
  expect(cutMessage('fault\n'.repeat(1e5)).length).toBeLessThan(8000);
  expect(cutMessage('😀'.repeat(1001)).isWellFormed()).toBe(true);
});
