// The inputs of a run: its data and model, which must not change on resume, and which rows fit.
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { PreferenceRow } from '../../data/rows.ts';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { metricsOf } from '../../testing/run-files.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { type AlignPairsOptions, alignPairs } from './run-dpo.ts';

const folder = cachedFolder();
const inside = (name: string): string => join(folder, name);
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writeRowsFile(folder, tinyRows(10));
});

const optionsOf = (own: Partial<AlignPairsOptions> = {}): AlignPairsOptions => ({
  ...{ model: inside('model'), data: [data], output: inside(`run-${runs++}`) },
  ...{
    precision: 'fp32',
    lora: true,
    loraRank: 2,
    batchSize: 4,
    microBatchSize: 4,
    threads: 1,
    saveSteps: 1,
  },
  maxSteps: 1,
  ...own,
});

async function align(options: AlignPairsOptions) {
  const told: string[] = [];
  let totalSteps = 0;
  await alignPairs(options, {
    onEvent(event) {
      told.push(event.type === 'notice' ? event.text : event.type);
      if (event.type === 'start') totalSteps = event.totalSteps;
    },
  });
  return { told, totalSteps, early: told.slice(0, told.indexOf('start')) };
}

/** Changes a file while the body runs. */
async function changed(path: string, to: string, body: () => Promise<void>): Promise<void> {
  const before = readFileSync(path);
  writeFileSync(path, to);
  await body();
  writeFileSync(path, before);
}

/** Writes rows to a new file. */
function file(name: string, rows: readonly PreferenceRow[]): string {
  const path = inside(name);
  cpSync(writeRowsFile(mkdtempSync(inside('rows-')), rows), path);
  return path;
}
const tooLong = (): PreferenceRow => ({
  prompt: 'hello '.repeat(200),
  chosen: 'a',
  rejected: 'b',
  extra: {},
});

it('is not resumed with other data or another model', async () => {
  const other = inside('other-model');
  cpSync(inside('model'), other, { recursive: true });
  const held = file('held.jsonl', tinyRows(3));
  const options = optionsOf({ model: other, evalData: [held], reference: other });
  await align(options);
  const resumed = { ...options, resume: true, maxSteps: 2 };
  const text = (path: string): string => readFileSync(path, 'utf8');
  const lines = (path: string): string => text(path).split('\n').slice(1).join('\n');
  for (const [option, path] of [
    ['--data', data],
    ['--eval-data', held],
  ] as const) {
    await changed(path, lines(path), async () => {
      await expect(align(resumed)).rejects.toThrow(
        new RegExp(
          `step-1: the run cannot be resumed .*: ${option} ${path} has changed \\(SHA-256 [0-9a-f]{12}…, now .*Restore`,
        ),
      );
    });
  }
  const template = join(other, 'chat_template.jinja');
  await changed(template, `${text(template)} `, async () => {
    await expect(align(resumed)).rejects.toThrow(/--model .*other-model \(its tokenizer\) has/);
  });
  expect(metricsOf(options.output).at(-1)!.step).toBe(1);
  expect((await align(resumed)).told.join()).not.toMatch(/bit for bit/);
  writeTinyChatModel(other, 2);
  await expect(align(resumed)).rejects.toThrow(/--model .*other-model has changed/);
});

it('is resumed on another machine with a notice that results will not be identical', async () => {
  const options = optionsOf();
  await align(options);
  const { early } = await align({ ...options, resume: true, maxSteps: 2, threads: 2 });
  expect(early.join('\n')).toMatch(/threads was 1, now 2: .*not bit for bit/);
});

it('has as many steps as its usable rows give, and reports the others first', async () => {
  const rows = tinyRows(10);
  rows.push(tooLong(), tooLong(), { ...tooLong(), prompt: 'a', chosen: 'wo '.repeat(300) });
  const held = file('some-held.jsonl', [tooLong(), ...tinyRows(2)]);
  const own = { data: [file('some.jsonl', rows)], evalData: [held] };
  const { totalSteps, early, told } = await align(
    optionsOf({ ...own, maxLength: 200, maxSteps: null, epochs: 2 }),
  );
  // Two epochs of 11 usable rows in batches of 4; with all 13 rows there would be 7 steps.
  expect(totalSteps).toBe(6);
  expect(early.filter((text) => /^\d+ of \d+ rows/.test(text))).toEqual([
    expect.stringMatching(/^2 of 13 rows of --data .*--max-length 200$/),
    expect.stringMatching(/^1 of 13 rows of --data are cut at --max-length 200/),
    expect.stringMatching(/^1 of 3 rows of --eval-data /),
  ]);
  expect(told.filter((text) => /^\d+ of \d+ rows/.test(text))).toHaveLength(3);
});

it('is refused if no held-out row can be used', async () => {
  const held = file('long-held.jsonl', [tooLong()]);
  const options = optionsOf({ evalData: [held], maxLength: 200 });
  await expect(align(options)).rejects.toThrow(
    /^--eval-data: every prompt is longer .*nothing is left to evaluate on/,
  );
  expect(existsSync(join(options.output, 'metrics.jsonl'))).toBe(false);
});

it("is limited to the model's positions", async () => {
  const small = inside('small');
  cpSync(inside('model'), small, { recursive: true });
  const config = join(small, 'config.json');
  const json = JSON.parse(readFileSync(config, 'utf8'));
  writeFileSync(config, JSON.stringify({ ...json, max_position_embeddings: 250 }));
  const { early } = await align(optionsOf({ model: small }));
  expect(early).toContain('the model takes at most 250 tokens: --max-length is 250');
  await expect(align(optionsOf({ model: small, maxLength: 300 }))).rejects.toThrow(
    /--max-length 300 .* 250 tokens .*--max-length 250/,
  );
  await expect(align(optionsOf({ reference: small }))).rejects.toThrow(
    /small .* 250 tokens, .*--max-length 1024.* --max-length 250/,
  );
  const unbounded = { model: small, maxLength: null };
  const free = (await align(optionsOf(unbounded))).early;
  expect(free.filter((text) => text.includes('--max-length'))).toEqual([]);
  const mixed = file('mixed.jsonl', [...tinyRows(2), tooLong()]);
  await expect(align(optionsOf({ ...unbounded, data: [mixed] }))).rejects.toThrow(
    /mixed\.jsonl:3: expected at most the 250 tokens that the model takes/,
  );
  const skipping = optionsOf({ ...unbounded, data: [mixed], onBadRow: 'skip' });
  expect((await align(skipping)).early).toEqual(
    expect.arrayContaining([expect.stringMatching(/^1 of 3 rows of --data .*mixed\.jsonl:3/)]),
  );
});
