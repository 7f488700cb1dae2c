import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CheckedRow, Target } from '../checks/check.ts';
import { openCheck } from '../checks/open-check.ts';
import { bundledSuites, readSuite, type Suite } from './read-suite.ts';

type Row = Record<string, unknown>;

const rowsOf = (data: string | readonly string[]): Row[] =>
  [data].flat().flatMap((file) =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row),
  );

const suites = new Map(bundledSuites().map((name) => [name, readSuite(name)]));
const tasksOf = ({ tasks }: Suite) => tasks.map(({ spec }) => ({ spec, rows: rowsOf(spec.data) }));
const rowsIn = (suite: string): Row[] => tasksOf(suites.get(suite)!).flatMap(({ rows }) => rows);

test('the suites that come with Keel', () => {
  expect([...suites.keys()].sort()).toEqual([
    'capability',
    'core',
    'instructions',
    'safety',
    'sycophancy',
  ]);
  expect(rowsIn('capability')).toHaveLength(200);
  expect(rowsIn('safety').filter(({ label }) => label === 'safe')).toHaveLength(100);
  expect(rowsIn('safety').filter(({ label }) => label === 'unsafe')).toHaveLength(100);
  expect(rowsIn('instructions').length).toBeGreaterThanOrEqual(50);
  for (const { description, path } of suites.values()) {
    expect(description).not.toBe('');
    expect(dirname(path)).toMatch(/suites$/);
  }
});

describe.each([...suites])('%s', (_, suite) => {
  const tasks = tasksOf(suite);

  test('no row is there twice', () => {
    for (const { spec, rows } of tasks) {
      const texts = rows.map((row) =>
        JSON.stringify([row.passage, row.question, row.prompt, row.code]).toLowerCase(),
      );
      expect(new Set(texts).size, spec.name).toBe(rows.length);
    }
  });

  test('right choices are among the choices, and at every place equally often', () => {
    for (const { spec, rows } of tasks) {
      if (spec.type !== 'multiple-choice') continue;
      const counts = (rows[0]!.choices as string[]).map(() => 0);
      for (const row of rows) {
        const choices = row.choices as string[];
        expect(choices).toHaveLength(counts.length);
        expect(new Set(choices).size).toBe(choices.length);
        counts[row.answer as number]! += 1;
      }
      expect(Math.max(...counts) - Math.min(...counts), spec.name).toBeLessThanOrEqual(1);
    }
  });

  test('the right choice is not the longest one more often than by chance', () => {
    for (const { spec, rows } of tasks) {
      if (spec.type !== 'multiple-choice') continue;
      const longest = rows.filter((row) => {
        const lengths = (row.choices as string[]).map(({ length }) => length);
        const right = lengths[row.answer as number]!;
        return lengths.filter((length) => length >= right).length === 1;
      });
      expect(longest.length / rows.length, spec.name).toBeLessThan(0.6);
    }
  });

  test('checks admit every row', async () => {
    for (const { spec, rows } of tasks) {
      if (!('check' in spec)) continue;
      await using check = await openCheck(spec.check, { folder: dirname(suite.path) });
      const target = 'answer' in spec ? spec.answer : undefined;
      for (const { prompt = '', ...extra } of rows) {
        const row = {
          prompt: prompt as CheckedRow['prompt'],
          extra,
          ...(target !== undefined && { target: extra[target] as Target }),
        };
        expect(() => check.admit(row)).not.toThrow();
      }
    }
  });
});

test('answers to the arithmetic questions are right', () => {
  const rows = rowsIn('capability').filter(({ expression }) => expression !== undefined);
  expect(rows).toHaveLength(50);
  for (const { question, expression, answer } of rows) {
    expect(expression).toMatch(/^[\d +*/-]+$/);
    expect(new Function(`return ${expression}`)(), String(question)).toBe(answer);
    // The question has all the numbers of the calculation, and no other ones.
    const numbers = (text: unknown): string[] => (String(text).match(/\d+/g) ?? []).sort();
    expect(numbers(question)).toEqual(numbers(expression));
  }
});
