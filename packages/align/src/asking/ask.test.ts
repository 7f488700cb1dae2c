import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainReward } from '../methods/reward/run-reward.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import { type AskOptions, runAsk } from './ask.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-ask-'));
const inside = (name: string): string => join(folder, name);
const says = (content: string) => [{ role: 'assistant', content }];
const answered = Array.from({ length: 6 }, (_, at) => ({
  prompt: [{ role: 'user', content: `hello ${at}` }],
  completions: ['world', 'day', 'world', `x ${at}`].map(says),
  topic: `number ${at}`,
}));
let outputs = 0;
const ask = (own: Partial<AskOptions> = {}, hooks = {}) =>
  runAsk(
    {
      ...{ data: [inside('answers.jsonl')], onBadRow: 'fail', labelled: null, overwrite: false },
      ...{ reward: [inside('heads')], by: null, count: 4, randomShare: 0.5, perPrompt: 1, seed: 1 },
      ...{ precision: 'fp32', device: 'cpu', output: inside(`ask-${outputs++}.jsonl`) },
      ...own,
    },
    hooks,
  );
const rowsOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  writeTinyChatModel(inside('model'));
  const data = [writeRowsFile(folder, tinyRows(6))];
  const usual = { model: inside('model'), data, ...tinyRun, lora: true, loraRank: 4, maxSteps: 2 };
  await trainReward({ ...usual, heads: 3, output: inside('heads') });
  await trainReward({ ...usual, output: inside('one') });
  writeFileSync(
    inside('answers.jsonl'),
    answered.map((row) => `${JSON.stringify(row)}\n`).join(''),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('which comparisons to ask for', () => {
  it('are written as rows of two answers, with why they were chosen', async () => {
    const before = await liveMemory();
    const { summary, output } = await ask();
    expect(await liveMemory()).toEqual(before);
    expect(summary).toMatchObject({ rows: 4, random: 2, prompts: 6, by: 'disagreement' });
    const rows = rowsOf(output);
    expect(rows.map(({ ask: { why } }) => why).toSorted()).toEqual([
      ...['disagreement', 'disagreement', 'random', 'random'],
    ]);
    for (const { prompt, completions, topic, ask: own } of rows) {
      const from = answered.find((row) => row.topic === topic)!;
      expect(prompt).toEqual(from.prompt);
      for (const one of completions) expect(from.completions).toContainEqual(one);
      expect(completions[0]).not.toEqual(completions[1]);
      expect(own.probability).toBeGreaterThan(0);
      expect(own.information).toBeGreaterThanOrEqual(0);
    }
    expect(summary!.mean.chosen).toBeGreaterThanOrEqual(summary!.mean.all);
  });

  it('may be of rows with one answer each, as they are generated', async () => {
    const rows = answered.flatMap(({ prompt, completions }) =>
      completions.map((completion) => ({ prompt, completion, finish_reason: 'stop' })),
    );
    const data = inside('generated.jsonl');
    writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const [one, other] = [await ask({ data: [data] }), await ask()];
    expect(one.summary).toEqual(other.summary);
    const asked = (path: string) => rowsOf(path).map(({ completions }) => completions);
    expect(asked(one.output)).toEqual(asked(other.output));
  });

  it('leave out what has a label already, in either order', async () => {
    const labelled = answered.flatMap(({ prompt }, at) =>
      at === 0 ? [] : [{ prompt, chosen: says('day'), rejected: says('world') }],
    );
    writeFileSync(
      inside('labelled.jsonl'),
      labelled.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
    const { summary, output } = await ask({
      ...{ labelled: [inside('labelled.jsonl')], count: 100, perPrompt: 9, randomShare: 1 },
    });
    // Three different answers make three pairs; five of them are known.
    expect(summary).toMatchObject({ rows: 6 * 3 - 5, labelled: 5 });
    const known = rowsOf(output).filter(({ completions }) =>
      completions.every(([{ content }]: [{ content: string }]) => !content.startsWith('x')),
    );
    expect(known).toHaveLength(1);
  });

  it('of a single model are the least certain ones, and of several adapters an ensemble', async () => {
    const one = await ask({ reward: [inside('one')] });
    expect(one.summary).toMatchObject({ by: 'uncertainty' });
    const both = await ask({ reward: [inside('one'), inside('heads')], by: 'information' });
    expect(both.summary).toMatchObject({ by: 'information', rows: 4 });
    await expect(ask({ reward: [inside('one')], by: 'disagreement' })).rejects.toThrow(
      /--by disagreement.*--by uncertainty/,
    );
  });

  it('are planned without writing, and not written when stopped or where a file is', async () => {
    const plans: object[] = [];
    const dry = await ask({ dryRun: true }, { onPlan: (plan: object) => plans.push(plan) });
    expect(plans).toEqual([{ prompts: 6, pairs: 18, members: 3, by: 'disagreement' }]);
    expect([dry.summary, existsSync(dry.output)]).toEqual([null, false]);
    const stopped = await ask({}, { signal: AbortSignal.abort(new Error('enough')) });
    expect(stopped).toMatchObject({ interrupted: true, done: 0 });
    expect(existsSync(stopped.output)).toBe(false);
    const taken = inside('answers.jsonl');
    await expect(ask({ output: taken })).rejects.toThrow(/--overwrite/);
  });
});
