// Stages that write rows for later stages, with verbs of the test's own.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../config/config-error.ts';
import { defineOptions, option } from '../config/options.ts';
import type { JobOptions, JobVerb } from './job-verb.ts';
import { planRecipe } from './plan-recipe.ts';
import { readRecipe } from './read-recipe.ts';
import { runRecipe } from './run-recipe.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-rows-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = z.string().min(1).nullable().default(null);
const group = 'Model and data';
const rowsOption = option(z.array(z.string()).nullable().default(null), {
  ...{ description: 'rows', group, reads: 'rows' },
});
const schema = z.strictObject({
  model: option(text, { description: 'model', group, reads: 'model' }),
  judge: option(text, { description: 'judge', group }),
  data: rowsOption,
  rows: option(z.number().default(2), { description: 'rows to write', group }),
  output: option(z.string(), { description: 'folder', group: 'Output' }),
});
const definition = defineOptions('author', schema, {
  complete: (parsed) => parsed,
}) as unknown as JobVerb['definition'];

let calls: (JobOptions & { resume: boolean })[] = [];
let checked: { name: string; pending: readonly string[] }[] = [];
let interrupt = false;
let passes = true;
beforeEach(() => {
  [calls, checked, interrupt, passes] = [[], [], false, true];
});

const row = (content: string): string =>
  `${JSON.stringify({ prompt: 'Hello', completion: content })}\n`;

const verbOf = (name: string, rows: readonly string[]): JobVerb => ({
  ...{ name, definition, rows, defaults: ['model'] },
  takes: { model: 'model', judge: 'judge' },
  results: rows.length === 0 ? ['numbers.json'] : rows,
  async check(_, pending) {
    checked.push({ name, pending });
  },
  describe: ({ data }) => `${name} of ${String(data)}`,
  run: async () => async (options) => {
    calls.push(options);
    mkdirSync(options.output, { recursive: true });
    const count = Number(options.rows);
    for (const [at, file] of (interrupt ? [] : rows).entries()) {
      writeFileSync(join(options.output, file), row(`answer ${at}`).repeat(count));
    }
    if (rows.length === 0) writeFileSync(join(options.output, 'numbers.json'), '1');
    return {
      interrupted: interrupt,
      headlines: [
        { label: 'rows', unit: 'number', better: null, before: null, after: { value: count } },
      ],
      verdict: rows.length === 0 ? { passed: passes, reasons: ['measured'] } : null,
    };
  },
});
const jobs = [
  verbOf('author', ['good.jsonl', 'bad.jsonl']),
  verbOf('copyist', ['copy.jsonl']),
  verbOf('gauge', []),
];

const path = join(folder, 'recipe.yaml');
const read = (name: string, stages: string) => {
  const model = `defaults: {model: ${goldenPath('tiny-chat')}}\n`;
  writeFileSync(path, `output: ${folder}/${name}\n${model}stages:\n${stages}`);
  return readRecipe(path, { jobs });
};
const problems = (stages: string): string => {
  try {
    read('none', stages);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.join('\n');
  }
  return '';
};
const sft = (data: string, name = 'sft'): string =>
  `  ${name}: {verb: sft, data: ${data}, lora: true, max_steps: 1, batch_size: 1}\n`;
const author = (rows = 2): string => `  author: {rows: ${rows}}\n`;
const statuses = async (recipe: ReturnType<typeof read>) =>
  (await planRecipe(recipe)).stages.map(({ state: { status, why } }) => [status, why.join('; ')]);

describe('rows of a stage', () => {
  test('are named by their file, or by the stage if there is only one', () => {
    const { stages } = read(
      'named',
      author() +
        `  copyist: {data: ["\${stages.author}/bad.jsonl", other.jsonl]}\n` +
        sft(`["\${stages.copyist}", "\${stages.author}/good.jsonl"]`),
    );
    expect(stages[1]!.options.data).toEqual([`${folder}/named/author/bad.jsonl`, 'other.jsonl']);
    expect(stages[2]!.options.data).toEqual([
      ...[`${folder}/named/copyist/copy.jsonl`, `${folder}/named/author/good.jsonl`],
    ]);
    expect([...stages[2]!.from]).toEqual([['data', ['copyist', 'author']]]);
    // The model of `defaults` is that of stages that answer, too.
    expect(stages[0]!.options.model).toBe(goldenPath('tiny-chat'));
  });

  test('that cannot be used are errors with their place', () => {
    const found = (stages: string) => problems(author() + stages);
    expect(found(sft(`"\${stages.author}"`))).toMatch(/:5:\d+: data: .*good\.jsonl.*bad\.jsonl/);
    expect(found(sft(`"\${stages.author}/nice.jsonl"`))).toMatch(/:5:\d+: .*nice.*good\.jsonl/);
    expect(found(`  gauge: {model: "\${stages.author}"}\n`)).toMatch(/:5:\d+: model: .*"author"/);
    expect(found(`  gauge: {model: "\${stages.author}/good.jsonl"}\n`)).toMatch(/:5:\d+: model/);
    expect(problems(`  gauge: {}\n${sft(`"\${stages.gauge}"`)}`)).toMatch(/"gauge".*measures/);
    expect(problems(sft('a.jsonl') + sft(`"\${stages.sft}/x.jsonl"`, 'second'))).toMatch(
      /data: .*"sft".*model, reference, adapter/,
    );
    expect(problems(sft(`"\${stages.author}/good.jsonl"`) + author())).toMatch(/before "sft"/);
  });

  test('are waited for by the plan, and the stage that uses them is not estimated', async () => {
    const recipe = read(
      'waits',
      author() +
        `  copyist: {data: "\${stages.author}/good.jsonl"}\n` +
        sft(`"\${stages.copyist}"`),
    );
    const { stages, unused } = await planRecipe(recipe);
    expect(stages.map(({ estimate, waitsFor }) => [estimate, waitsFor])).toEqual([
      ...[
        [null, []],
        [null, []],
        [null, ['copyist']],
      ],
    ]);
    expect(unused).toEqual([]);
    expect(checked).toEqual([
      { name: 'author', pending: [] },
      { name: 'copyist', pending: ['data'] },
    ]);
    const own = join(folder, 'own.jsonl');
    writeFileSync(own, row('of a file'));
    expect((await planRecipe(read('unused', author() + sft(own)))).unused).toEqual(['author']);
  });

  test('train later stages, which run again only if their own file changes', async () => {
    const stages = (rows: number): string =>
      [author(rows), sft(`"\${stages.author}/good.jsonl"`), '  gauge: {rows: 1}\n'].join('');
    const recipe = read('trained', stages(2));
    expect((await runRecipe(recipe)).ran).toEqual(['author', 'sft', 'gauge']);
    expect(await statuses(recipe)).toEqual(Array(3).fill(['done', '']));
    expect((await planRecipe(recipe)).stages.every(({ estimate }) => estimate === null)).toBe(true);
    const changed = await statuses(read('trained', stages(3)));
    expect(changed[0]).toEqual(['run', expect.stringMatching(/rows.*2.*3/)]);
    expect(changed[1]).toEqual(['run', expect.stringContaining('author')]);
    // Another file of the same stage.
    const other = stages(2).replace('/good.jsonl', '/bad.jsonl');
    expect((await statuses(read('trained', other)))[1]).toEqual([
      ...['run', expect.stringMatching(/good\.jsonl.*bad\.jsonl/)],
    ]);
    const report = readFileSync(join(folder, 'trained/report.html'), 'utf8');
    expect(report).toContain('author/good.jsonl, author/bad.jsonl');
    writeFileSync(join(folder, 'trained/author/bad.jsonl'), row('edited'));
    expect((await statuses(recipe))[0]![0]).toBe('run');
    await runRecipe(recipe);
    // The rows are the same again, so training is not repeated.
    expect(calls).toHaveLength(3);
    expect(await statuses(recipe)).toEqual(Array(3).fill(['done', '']));
  });

  test('are resumed after an interruption', async () => {
    const recipe = read('resumed', author());
    interrupt = true;
    expect((await runRecipe(recipe)).interrupted).toEqual({ stage: 'author', step: 0 });
    interrupt = false;
    expect((await runRecipe(recipe)).ran).toEqual(['author']);
    expect(calls.map(({ resume }) => resume)).toEqual([false, true]);
  });

  test('are written after a failed gate only for measurements', async () => {
    passes = false;
    const recipe = read(
      'gate',
      `  gauge: {rows: 1}\n${author()}` +
        `  copyist: {data: "\${stages.author}/good.jsonl"}\n` +
        `  measured: {verb: gauge, data: "\${stages.copyist}"}\n` +
        `  alone: {verb: author}\n`,
    );
    expect(await runRecipe(recipe)).toMatchObject({
      ...{ ran: ['gauge', 'author', 'copyist', 'measured'], skipped: ['alone'] },
    });
  });
});

test('a model of an earlier stage judges, by what kind of model it is', () => {
  const reward = '  reward: {data: pairs.jsonl, lora: true}\n';
  const { stages } = read(
    'judges',
    sft('a.jsonl') +
      reward +
      `  one: {verb: author, judge: "\${stages.sft}"}\n` +
      `  two: {verb: author, judge: "\${stages.reward}"}\n`,
  );
  expect(stages[2]!.options.judge).toBe(`model:${folder}/judges/sft/merged`);
  expect(stages[3]!.options.judge).toBe(`reward:${folder}/judges/reward/final`);
});
