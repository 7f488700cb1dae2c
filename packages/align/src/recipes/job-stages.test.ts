// Stages that measure, with a verb of the test's own.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../config/config-error.ts';
import { defineOptions, option } from '../config/options.ts';
import type { JobOptions, JobResult, JobVerb } from './job-verb.ts';
import { planRecipe } from './plan-recipe.ts';
import { readRecipe } from './read-recipe.ts';
import { recipeJsonSchema } from './recipe-schema.ts';
import { type RecipeEvent, runRecipe } from './run-recipe.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-measuring-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = z.string().min(1).nullable().default(null);
const group = 'Model and data';
const schema = z.strictObject({
  model: option(z.array(z.string()).nullable().default(null), {
    ...{ description: 'models', group, reads: 'model' },
  }),
  adapter: option(text, { description: 'adapter', group, reads: 'folder' }),
  run: option(text, { description: 'run', group }),
  reward: option(text, { description: 'reward model', group }),
  notes: option(text, { description: 'a file', group }),
  data: option(z.array(z.string()).nullable().default(null), {
    ...{ description: 'rows', group, reads: 'rows' },
  }),
  floor: option(z.number().default(0), { description: 'floor', group }),
  precision: option(text, { description: 'precision', group: 'Machine' }),
  templateDate: option(text, { description: 'date', group }),
  output: option(z.string(), { description: 'folder', group: 'Output' }),
});

interface Call {
  options: JobOptions & { resume: boolean };
}

let calls: Call[] = [];
/** What the next call does. */
let behaviour: { interrupt?: boolean; value: number };
beforeEach(() => {
  calls = [];
  behaviour = { value: 0.5 };
});

const gauge: JobVerb = {
  name: 'gauge',
  definition: defineOptions('gauge', schema, {
    complete: (parsed) => parsed,
  }) as unknown as JobVerb['definition'],
  takes: { model: 'model', adapter: 'adapter', run: 'run', reward: 'reward model' },
  defaults: ['precision', 'templateDate'],
  results: ['numbers.json'],
  rows: [],
  files: ({ notes }) => ({ notes: notes === null ? [] : [String(notes)] }),
  describe: ({ run, model }) => `gauge of ${String(run ?? model)}`,
  run:
    async () =>
    async (options, { onProgress, onNotice, signal }) => {
      calls.push({ options });
      onNotice?.('gauging');
      onProgress?.('answers', 1, 2);
      const { value, interrupt = false } = behaviour;
      const { output } = options;
      const floor = Number(options.floor);
      const result: JobResult = {
        interrupted: interrupt || signal?.aborted === true,
        headlines: [
          {
            ...{ label: 'gauge', unit: 'share', better: 'higher', before: null },
            after: { value, interval: [value - 0.25, value + 0.25] },
          },
        ],
        verdict:
          floor === 0
            ? null
            : { passed: value >= floor, reasons: [`gauge ${value}, floor ${floor} <b>`] },
      };
      mkdirSync(output, { recursive: true });
      if (!result.interrupted) writeFileSync(join(output, 'numbers.json'), String(value));
      return result;
    },
};

const rows = `${goldenPath('trajectories/sft-completion-only')}/train.jsonl`;
const sft = (steps = 1) =>
  `  sft: {model: ${goldenPath('tiny-chat')}, data: ${rows}, lora: true, max_steps: ${steps}}\n`;
let count = 0;
const path = join(folder, 'recipe.yaml');
const read = (stages: string, name: string, defaults = '') => {
  writeFileSync(path, `output: ${folder}/${name}\n${defaults}stages:\n${stages}`);
  return readRecipe(path, { jobs: [gauge] });
};
const fresh = (): string => `run-${count++}`;

function problems(stages: string): string {
  try {
    read(stages, 'none');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.join('\n');
  }
  return '';
}

async function events(recipe: ReturnType<typeof read>, signal?: AbortSignal) {
  const seen: RecipeEvent[] = [];
  const result = await runRecipe(recipe, {
    onEvent: (event) => seen.push(event),
    ...(signal && { signal }),
  });
  return { result, seen, types: seen.filter(({ type }) => type !== 'run') };
}

describe('a stage that measures', () => {
  test('has its options, the results of other stages, and only some defaults', () => {
    const { stages } = read(
      `${sft()}  gauge: {run: "\${stages.sft}"}\n` +
        `  lora: {verb: gauge, adapter: "\${stages.sft}"}\n` +
        `  both: {verb: gauge, model: [base, "\${stages.sft}"]}\n`,
      'x',
      'defaults: {precision: fp32, batch_size: 4}\n',
    );
    const [, gauged, lora, both] = stages;
    expect(gauged).toMatchObject({ kind: 'job', name: 'gauge', number: 2, verb: 'gauge' });
    expect(gauged!.options).toMatchObject({
      ...{ run: `${folder}/x/sft`, precision: 'fp32', output: `${folder}/x/gauge` },
    });
    expect(gauged!.options).not.toHaveProperty('batchSize');
    expect(lora!.options).toMatchObject({
      adapter: `${folder}/x/sft/final`,
      model: [goldenPath('tiny-chat')],
    });
    expect(both!.options).toMatchObject({ model: ['base', `${folder}/x/sft/merged`] });
    expect([...both!.from]).toEqual([['model', ['sft']]]);
  });

  test('wrong options, references and verbs are named with their place', () => {
    expect(problems(`${sft()}  gauge: {flor: 1}\n`)).toMatch(/recipe\.yaml:4:\d+: .*flor.*floor/);
    expect(problems(`${sft()}  gauge: {floor: no}\n`)).toMatch(/:4:\d+: .*floor/);
    expect(problems(`${sft()}  gauge: {notes: "\${stages.sft}"}\n`)).toMatch(
      /notes.*model, adapter, run, reward/,
    );
    expect(problems(`${sft()}  gauge: {reward: "\${stages.sft}"}\n`)).toMatch(/reward.*"sft"/);
    expect(problems(`${sft()}  gauge: {output: x}\n`)).toMatch(/output/);
    expect(
      problems(`  gauge: {floor: 1}\n  sft: {model: "\${stages.gauge}", data: ${rows}}\n`),
    ).toMatch(/:4:\d+: .*"gauge".*keel gauge/);
    expect(problems('  gage: {floor: 1}\n')).toMatch(/"gage".*gauge/);
    writeFileSync(path, 'stages:\n  gauge: {floor: 1}\n');
    expect(() => readRecipe(path)).toThrow(/"gauge"/);
  });

  test('is in the JSON Schema with its options, without its folder', () => {
    const schema = recipeJsonSchema([gauge]) as unknown as {
      $defs: Record<string, { properties: object }>;
      properties: { defaults: { properties: object }; stages: { properties: object } };
    };
    expect(Object.keys(schema.$defs.gauge!.properties)).toEqual(
      expect.arrayContaining(['verb', 'model', 'run', 'floor', 'template_date']),
    );
    expect(schema.$defs.gauge!.properties).not.toHaveProperty('output');
    expect(schema.properties.stages.properties).toHaveProperty('gauge');
    expect(schema.properties.defaults.properties).not.toHaveProperty('floor');
    expect(recipeJsonSchema().$defs).not.toHaveProperty('gauge');
  });

  test('runs after what it measures, once, and again when something changed', async () => {
    const name = fresh();
    const notes = join(folder, 'notes.txt');
    writeFileSync(notes, 'one');
    const stages = (floor: number, steps = 1) =>
      `${sft(steps)}  gauge: {run: "\${stages.sft}", notes: ${notes}, floor: ${floor}}\n`;
    const recipe = read(stages(0.1), name);
    const planned = await planRecipe(recipe);
    expect(planned.unused).toEqual([]);
    expect(planned.stages.map(({ state, estimate }) => [state.status, estimate === null])).toEqual([
      ['run', false],
      ['run', true],
    ]);
    const first = await events(recipe);
    expect(first.types.map(({ type, stage }) => `${stage.name} ${type}`)).toEqual([
      ...['sft stage', 'sft ended', 'gauge stage', 'gauge notice', 'gauge progress'],
      'gauge worked',
    ]);
    expect(first.result).toMatchObject({ ran: ['sft', 'gauge'], skipped: [], interrupted: null });
    expect(first.result.verdicts).toMatchObject([{ stage: 'gauge', verdict: { passed: true } }]);
    expect(calls[0]!.options).toMatchObject({ resume: false, floor: 0.1 });
    // The date that chat templates print is that of all stages.
    expect(calls[0]!.options.templateDate).toMatch(/^\d{4}-/);

    expect((await events(recipe)).result).toMatchObject({
      ran: [],
      verdicts: [{ stage: 'gauge', verdict: { passed: true } }],
    });
    const whyOf = async (one: ReturnType<typeof read>) =>
      (await planRecipe(one)).stages[1]!.state.why.join('; ');
    expect(await whyOf(read(stages(0.2), name))).toMatch(/floor.*0\.1.*0\.2/);
    writeFileSync(notes, 'two');
    expect(await whyOf(recipe)).toMatch(/notes_files.*notes\.txt/);
    writeFileSync(notes, 'one');
    expect(await whyOf(recipe)).toBe('');
    expect(await whyOf(read(stages(0.1, 2), name))).toMatch(/sft/);
    writeFileSync(join(folder, name, 'gauge/numbers.json'), '9');
    expect(await whyOf(recipe)).not.toBe('');
    rmSync(join(folder, name, 'gauge/numbers.json'));
    expect((await events(recipe)).result.ran).toEqual(['gauge']);
  });

  test('a list of models depends on all of its members', async () => {
    const name = fresh();
    const other = join(folder, 'other');
    cpSync(goldenPath('tiny-chat'), other, { recursive: true });
    const recipe = read(`${sft()}  gauge: {model: [${other}, "\${stages.sft}"]}\n`, name);
    await events(recipe);
    expect(existsSync(join(folder, name, 'sft/merged'))).toBe(true);
    expect((await events(recipe)).result.ran).toEqual([]);
    writeFileSync(join(other, 'extra.json'), '{}');
    expect((await planRecipe(recipe)).stages[1]!.state.why.join()).toMatch(/model/);
  });

  test('resumes after an interruption', async () => {
    const recipe = read(`${sft()}  gauge: {run: "\${stages.sft}"}\n`, fresh());
    behaviour = { value: 0.5, interrupt: true };
    expect((await events(recipe)).result.interrupted).toEqual({ stage: 'gauge', step: 0 });
    expect((await planRecipe(recipe)).stages[1]!.state.status).toBe('resume');
    behaviour = { value: 0.5 };
    expect((await events(recipe)).result).toMatchObject({ ran: ['gauge'], interrupted: null });
    expect(calls.map(({ options }) => options.resume)).toEqual([false, true]);
  });

  test('a failed gate ends training, but not measuring, and stays failed', async () => {
    const name = fresh();
    const recipe = read(
      `${sft()}  gauge: {run: "\${stages.sft}", floor: 0.9}\n` +
        `  second: {verb: sft, model: "\${stages.sft}", data: ${rows}, max_steps: 1}\n` +
        `  after: {verb: gauge, run: "\${stages.sft}", floor: 0.1}\n` +
        `  needs: {verb: gauge, run: "\${stages.second}"}\n`,
      name,
    );
    for (const ran of [['sft', 'gauge', 'after'], []]) {
      const { result, seen } = await events(recipe);
      expect(result).toMatchObject({ ran, skipped: ['second', 'needs'], interrupted: null });
      expect(result.verdicts.map(({ stage, verdict }) => [stage, verdict.passed])).toEqual([
        ['gauge', false],
        ['after', true],
      ]);
      expect(seen.flatMap((one) => (one.type === 'skipped' ? [one.why] : []))).toEqual([
        expect.stringContaining('gauge'),
        expect.stringContaining('second'),
      ]);
    }
    const report = readFileSync(join(folder, name, 'report.html'), 'utf8');
    expect(report).toContain('gauge 0.5, floor 0.9 &lt;b&gt;');
    expect(report).toContain('gauge/numbers.json');
    expect(report).toContain('25% to 75%');
    expect(report).toMatch(/class="verdict failed"/);
    expect(report).toMatch(/class="verdict passed"/);
  });

  test('that writes no result is an error, and a folder of others is refused', async () => {
    const name = fresh();
    const recipe = read(`${sft()}  gauge: {run: "\${stages.sft}"}\n`, name);
    const lost: JobVerb = { ...gauge, results: ['absent.json'] };
    const stages = recipe.stages.map((one) => (one.kind === 'job' ? { ...one, job: lost } : one));
    await expect(runRecipe({ ...recipe, stages })).rejects.toThrow(/gauge.*absent\.json/);
    const other = read(`  gauge: {floor: 0.1}\n`, fresh());
    await runRecipe(other);
    rmSync(join(other.output, 'stages.json'));
    writeFileSync(join(other.output, 'stages.json'), '{"version": 1, "stages": {}}');
    await expect(runRecipe(other)).rejects.toThrow(/gauge.*--overwrite/);
  });
});
