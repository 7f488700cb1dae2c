import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownIdentity } from '@keel/align/runs';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { PreferenceStore } from '../store/preference-store.ts';
import { writeFiles } from '../watching/testing/run-folders.ts';
import { suggestionOf } from './round-column.ts';
import { roundOptions } from './round-options.ts';
import { isHeldOut, roundRows } from './round-rows.ts';
import { Rounds } from './rounds.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-rounds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const options = (more: object = {}) => roundOptions.parse(more);

/** A store with labelled pairs and one open pair, and rounds whose commands do nothing. */
async function opened(labelled: number) {
  const place = join(folder, String(count++));
  writeFiles(place, {});
  const store = await PreferenceStore.open(`${place}.sqlite`);
  const project = await store.openProject('My project');
  const pair = (at: number, annotations: { person: string; choice: 'left' }[]) => ({
    kind: 'pair' as const,
    prompt: `prompt ${at}`,
    answers: [{ content: `one ${at}` }, { content: `two ${at}` }],
    annotations,
    shown: true,
  });
  const inputs = Array.from({ length: labelled }, (_, at) =>
    pair(at, [{ person: 'Ann', choice: 'left' }]),
  );
  const adding = { overlap: 1, random: () => 0.9 };
  await store.addTasks(project, [...inputs, pair(labelled, [])], adding);
  const keel = [process.execPath, '--eval', ''];
  const rounds = new Rounds({ store, runs: join(place, 'runs'), keel });
  return { store, project, rounds, runs: join(place, 'runs') };
}

const chat = (role: string, content: string) => [{ role, content }];

test('a prompt is held out in all rounds or in none, as a text and as a chat', async () => {
  const prompts = Array.from({ length: 2000 }, (_, at) => `prompt ${at}`);
  const held = prompts.filter(isHeldOut);
  // Five standard deviations around a fifth.
  expect(Math.abs(held.length - 400)).toBeLessThan(90);
  for (const prompt of prompts.slice(0, 100))
    expect(isHeldOut(chat('user', prompt))).toBe(isHeldOut(prompt));
});

test('rows are chats, and no prompt is both trained on and held out', async () => {
  const { store, project } = await opened(30);
  await using _ = store;
  const { train, heldOut } = await roundRows(store, project, 'pairs');
  expect(train.length + heldOut.length).toBe(30);
  expect(train[0]).toMatchObject({ prompt: [{ role: 'user' }], chosen: [{ role: 'assistant' }] });
  const trained = new Set(train.map(({ prompt }) => JSON.stringify(prompt)));
  expect(heldOut.some(({ prompt }) => trained.has(JSON.stringify(prompt)))).toBe(false);
});

test('pairs that were chosen because they are hard do not measure anything', async () => {
  const { store, project } = await opened(0);
  await using _ = store;
  const prompts = Array.from({ length: 40 }, (_, at) => `prompt ${at + 1}`);
  const held = prompts.filter(isHeldOut);
  expect(held.length).toBeGreaterThan(1);
  const inputs = prompts.map((prompt) => ({
    kind: 'pair' as const,
    ...{ prompt, answers: [{ content: 'one' }, { content: 'two' }], shown: true },
    annotations: [{ person: 'Ann', choice: 'left' as const }],
    columns: { round: { number: 1, why: prompt === held[0] ? 'random' : 'disagreement' } },
  }));
  await store.addTasks(project, inputs, { overlap: 1, random: () => 0.9 });
  const { train, heldOut } = await roundRows(store, project, 'pairs');
  expect(train).toHaveLength(40 - held.length);
  expect(heldOut.map(({ prompt }) => prompt)).toEqual([chat('user', held[0]!)]);
});

describe('a round', () => {
  test('with too few labels says so, and leaves nothing', async () => {
    const { store, project, rounds } = await opened(2);
    await using _ = store;
    await expect(rounds.start(project, 'My project', options())).rejects.toThrow(/at least 4/);
    expect(await rounds.list(project)).toEqual([]);
  });

  test('is a recipe of a reward model, a policy, its answers and what to ask', async () => {
    const { store, project, rounds, runs } = await opened(30);
    await using _ = store;
    const given = options({ method: 'kto', epochs: 2, newTasks: 5, model: 'some/model' });
    const round = await rounds.start(project, 'My project', given);
    expect(round).toMatchObject({ number: 1, newTasks: null, accuracy: null });
    expect(round.run).toMatch(/^my-project-\w{6}\/round-1$/);
    const recipe = parse(readFileSync(join(runs, `${round.run}-input`, 'recipe.yaml'), 'utf8'));
    expect(recipe.defaults).toEqual({ lora: true, model: 'some/model' });
    expect(Object.keys(recipe.stages)).toEqual(['reward', 'open', 'kto', 'generate', 'ask']);
    expect(recipe.stages.generate.model).toBe('${stages.kto}');
    const alone = await rounds.start(project, 'My project', options({ method: 'none' }));
    const second = parse(readFileSync(join(runs, `${alone.run}-input`, 'recipe.yaml'), 'utf8'));
    expect(Object.keys(second.stages)).toEqual(['reward', 'open', 'generate', 'ask']);
    expect(second.stages.generate.model).toBeUndefined();
  });

  test('gives its new pairs back as tasks once, with priorities, also of the open ones', async () => {
    const { store, project, rounds, runs } = await opened(30);
    await using _ = store;
    const { run } = await rounds.start(project, 'My project', options({ newTasks: 2 }));
    expect(await rounds.collect(project)).toBe(0);
    const [open] = (await store.taskList(project, { state: 'new' })).tasks;
    const line = (row: object) => `${JSON.stringify(row)}\n`;
    const asked = (at: number, ask: object) => ({
      prompt: chat('user', `prompt ${at}`),
      completions: [chat('assistant', `new ${at}`), chat('assistant', `newer ${at}`)],
      ask,
    });
    const why = { why: 'disagreement', disagreement: 0.75, probability: 0.8 };
    writeFiles(join(runs, run), {
      'open/asked.jsonl': line({ ...asked(30, why), task: open!.id }),
      'ask/asked.jsonl':
        line(asked(1, { ...why, disagreement: 0.5 })) + line(asked(2, { ...why, why: 'random' })),
    });
    const both = await Promise.all([rounds.collect(project), rounds.collect(project)]);
    expect(both.sort()).toEqual([0, 2]);
    const { tasks } = await store.taskList(project, { state: 'new' }, { sort: 'priority' });
    expect(tasks.map(({ prompt, priority }) => [prompt, priority])).toEqual([
      ['prompt 30', 0.75],
      ['prompt 1', 0.5],
      ['prompt 2', 0],
    ]);
    expect(tasks[0]!.prioritySource).toBe("reward model's disagreement");
    expect(await rounds.list(project)).toMatchObject([{ newTasks: 2 }]);
    const detail = await store.taskDetail(tasks[1]!.id);
    // The project's prompts are texts, so the new answers are.
    expect(detail.prompt).toBe('prompt 1');
    const contents = ['new 1', 'newer 1'];
    expect(suggestionOf(detail.columns, contents)!.left).toBeCloseTo(0.8);
    expect(suggestionOf(detail.columns, contents.toReversed())!.left).toBeCloseTo(0.2);
  });

  test('shows the last held-out accuracy with its interval', async () => {
    const { store, project, rounds, runs } = await opened(40);
    await using _ = store;
    const { run, heldOutRows } = await rounds.start(project, 'My project', options());
    const rows = [
      { step: 0, eval_accuracy: 0.25 },
      { step: 1, loss: 1 },
      { step: 2, eval_accuracy: 0.5 },
    ];
    writeFiles(join(runs, run), {
      // The last row is being written.
      'reward/metrics.jsonl': `${rows.map((row) => `${JSON.stringify(row)}\n`).join('')}{"step":3`,
    });
    const accuracy = (await rounds.list(project))[0]!.accuracy;
    expect(accuracy).toMatchObject({ value: 0.5, count: heldOutRows });
  });

  test('whose process was killed before its run began is found, and started again', async () => {
    const { store, project, rounds, runs } = await opened(30);
    await using _ = store;
    const round = await rounds.start(project, 'My project', options());
    await vi.waitUntil(() => !rounds.isProcessAlive(round), 60_000);
    expect(rounds.log(round)).toMatch(/^\$ keel align .*recipe\.yaml$/);
    // A process of this machine that runs, as another start of the Studio finds it.
    writeFiles(runs, { [`${round.run}.process.json`]: ownIdentity() });
    expect(rounds.isProcessAlive(round)).toBe(true);
    await expect(rounds.startAgain(project, 'My project', 1)).rejects.toThrow(/is running/);
    // The same id, of another process or before the machine was restarted.
    for (const other of [{ started: '1' }, { boot: 'earlier' }]) {
      writeFiles(runs, { [`${round.run}.process.json`]: { ...ownIdentity(), ...other } });
      expect(rounds.isProcessAlive(round)).toBe(false);
    }
    await rounds.startAgain(project, 'My project', 1, 'Eve');
    await vi.waitUntil(() => !rounds.isProcessAlive(round), 60_000);
    expect(rounds.log(round).match(/\$ keel align/g)).toHaveLength(2);
    const { actions } = await store.actions({ action: 'round started' });
    expect(actions).toMatchObject([
      { person: 'Eve', details: { number: 1, run: round.run, again: true } },
      { details: { number: 1, run: round.run } },
    ]);
    await expect(rounds.startAgain(project, 'My project', 7)).rejects.toThrow(/no round 7/);
  });
});
