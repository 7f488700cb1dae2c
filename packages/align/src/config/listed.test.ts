import { expect, test } from 'vitest';
import { listed } from './listed.ts';

test('a short list is on the line of the message', () => {
  expect(listed('Use one of', ['a', 'b'], ' (or none)')).toBe('Use one of a, b (or none)');
});

test('a long list is below it, and is complete', () => {
  const names = Array.from({ length: 60 }, (_, at) => `name_${at}`);
  const [intro, ...lines] = listed('Use one of', names, '!').split('\n');
  expect(intro).toBe('Use one of');
  for (const line of lines) expect(line).toMatch(/^ {4}\S.{1,91}$/);
  expect(lines.map((line) => line.trim()).join(' ')).toBe(`${names.join(', ')}!`);
});
