import { afterEach, expect, it, vi } from 'vitest';
import { complain, say, sayJson, styled } from './terminal.ts';

afterEach(() => vi.restoreAllMocks());

const printed = (stream: 'log' | 'error', print: () => void): string => {
  const spy = vi.spyOn(console, stream).mockImplementation(() => {});
  print();
  return spy.mock.calls.map(([line]) => line as string).join('\n');
};

it('escapes control characters', () => {
  expect(printed('log', () => say('a\x1b[2J\x9bm\nb\tc'))).toBe('a\\x1b[2J\\x9bm\nb\tc');
  expect(printed('error', () => complain('error: \u202efdp.exe'))).toBe('error: \\u202efdp.exe');
});

it('escapes them in styled text too, and keeps the style', () => {
  const line = printed('log', () => say('* ', styled('bold', 'x\x1b[0m')));
  expect(line.replaceAll('\x1b[1m', '<b>').replaceAll('\x1b[22m', '</b>')).toMatch(
    /^\* (<b>)?x\\x1b\[0m(<\/b>)?$/,
  );
});

it('prints JSON whose values are exact', () => {
  const value = { text: 'a\x1b\x7f\x9b\u202e\u2066é\n' };
  const json = printed('log', () => sayJson(value));
  expect(JSON.parse(json)).toEqual(value);
  expect(json).toBe('{"text":"a\\u001b\\u007f\\u009b\\u202e\\u2066é\\n"}');
});
