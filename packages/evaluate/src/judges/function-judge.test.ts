import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NoVerdict } from '@keel/align/judges';
import { afterAll, describe, expect, test } from 'vitest';
import { functionJudgeSchema, openFunctionJudge } from './function-judge.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-function-judge-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function open(name: string, source: string, module = name, spec: object = {}) {
  writeFileSync(join(folder, name), source);
  return openFunctionJudge(
    functionJudgeSchema.parse({ type: 'function', module, ...spec }),
    folder,
  );
}
const pair = {
  prompt: [{ role: 'user', content: 'hello' }],
  answers: ['a', [{ role: 'assistant', content: 'long' }]] as const,
  reference: 'good',
  extra: { hard: true },
};

test('compares and rates with the exports of a module', async () => {
  await using judge = await open(
    'both.ts',
    `export const compare = (prompt: string, a: string, b: string, row: any) =>
       ({ first: a.length / (a.length + b.length), why: [prompt, b, row.reference, row.extra.hard].join() });
     export const rate = async (prompt: string, answer: string) => answer.length;`,
  );
  const verdict = await judge.compare!(pair as never);
  expect(verdict).toMatchObject({ first: 0.2, tie: 0, why: 'hello,long,good,true' });
  const rating = await judge.rate!({ ...pair, answer: 'four' });
  expect(rating).toMatchObject({ score: 4 });
});

test('one function compares or rates, by its parameters', async () => {
  const source = `export const longer = (p: string, a: string, b: string) => Number(a.length > b.length);
    export default (p: string, answer: string) => answer.length;`;
  await using longer = await open('one.ts', source, 'one.ts#longer', { sees_order: false });
  expect(longer.rate).toBeUndefined();
  expect(longer.seesOrder).toBe(false);
  expect(await longer.compare!(pair as never)).toMatchObject({ first: 0 });
  await using rating = await open('one.ts', source, 'one.ts#default');
  expect(rating.compare).toBeUndefined();
  expect(await rating.rate!({ ...pair, answer: 'abc' })).toMatchObject({ score: 3 });
});

describe('what is no verdict', () => {
  test.each([
    ['thrown', `throw new Error('odd')`, /odd/],
    ['nothing', 'return undefined', /undefined.*first/],
    ['null', 'return null', /null/],
    ['word', `return 'a'`, /"a"/],
    ['nan', 'return { first: Number.NaN }', /NaN/],
    ['big', 'return 2', /2/],
    ['field', 'return { first: 1, ties: 0 }', /ties.*tie/],
    ['why', 'return { first: 1, why: 4 }', /"why" is 4/],
  ])('%s', async (name, body, reason) => {
    await using judge = await open(
      `${name}.ts`,
      `export function compare(prompt: string, a: string, b: string) {\n ${body};\n}`,
    );
    expect(((await judge.compare!(pair as never)) as NoVerdict).failed).toMatch(reason);
  });

  test('a call that takes too long', async () => {
    await using judge = await open(
      'slow.ts',
      'export const compare = (p: string, a: string, b: string) => new Promise(() => {});',
      'slow.ts',
      { timeout: 0.05 },
    );
    expect(((await judge.compare!(pair as never)) as NoVerdict).failed).toMatch(/0\.05 s/);
  });
});

test('a signal ends the call', async () => {
  await using judge = await open(
    'waits.ts',
    'export const compare = (p: string, a: string, b: string) => new Promise(() => {});',
  );
  const stop = new AbortController();
  const asked = judge.compare!(pair as never, stop.signal);
  stop.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
});

test('a module without such functions is an error that names others', async () => {
  await expect(open('other.ts', 'export const judge = () => 1;')).rejects.toThrow(
    /other\.ts.*other\.ts#judge/s,
  );
  await expect(open('other.ts', 'export const x = 1;', 'other.ts#x')).rejects.toThrow(/"x"/);
  await expect(
    openFunctionJudge(functionJudgeSchema.parse({ type: 'function', module: 'absent.ts' }), folder),
  ).rejects.toThrow(/judge absent\.ts.*absent\.ts/);
});
