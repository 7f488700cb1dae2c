// What people add on pages, in rows for training: edits, ratings, adjudications.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TaskInput, Verdict } from '../store/items.ts';
import { PreferenceStore } from '../store/preference-store.ts';
import { checkExport, type ExportOptions, exportProject } from './export-project.ts';

let folder: string;
let store: PreferenceStore;
let project: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-export-'));
});
beforeEach(async () => {
  store = await PreferenceStore.open(':memory:');
  project = await store.openProject('p');
  const aspects = ['helpful', 'honest'].map((key) => ({ key, label: key, least: 1, most: 5 }));
  await store.saveSettings(project, { overlap: 3, aspects });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const says = (content: string) => [{ role: 'assistant' as const, content }];
const task = (kind: TaskInput['kind'], answers: TaskInput['answers']): TaskInput => ({
  ...{ kind, prompt: 'Q', answers, columns: { topic: 'x' }, annotations: [] },
});
const texts = (...contents: string[]) => contents.map((content) => ({ content }));

/** Adds a task, and verdicts by its own order. @returns its id */
async function annotated(input: TaskInput, verdicts: Record<string, Verdict>): Promise<string> {
  await store.addTasks(project, [input], { random: () => 0.99 });
  let id = '';
  for (const [person, verdict] of Object.entries(verdicts)) {
    id = (await store.claim(project, person, { random: () => 0.99 }))!;
    await store.annotate(id, person, verdict);
  }
  return id;
}

let files = 0;
async function rowsOf(options: Partial<ExportOptions> & Pick<ExportOptions, 'to'>) {
  const output = join(folder, `${++files}.jsonl`);
  const given = { project: 'p', labels: 'majority' as const, overwrite: false, minVotes: 0 };
  const summary = await exportProject(store, { ...given, output, ...options });
  const lines = readFileSync(output, 'utf8').trim().split('\n');
  return { summary, rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('export', () => {
  it('writes edits as demonstrations, in the form of the answers', async () => {
    await annotated(task('pair', texts('good', 'bad')), {
      Ann: { choice: 'left', edit: { answer: 0, text: 'better' } },
      Ben: { choice: 'both_bad', edit: { answer: null, text: 'from nothing' } },
      Cid: { choice: 'left' },
    });
    const asked = [{ role: 'user' as const, content: 'R' }];
    const chat = [...says('Hm'), { role: 'user' as const, content: 'Well?' }, ...says('No')];
    await annotated(
      { ...task('thumb', [{ content: chat }]), prompt: asked },
      {
        Ann: { choice: 'down', edit: { answer: 0, text: 'Yes' } },
      },
    );
    const { rows, summary } = await rowsOf({ to: 'demonstrations' });
    expect(rows).toEqual([
      { topic: 'x', prompt: 'Q', completion: 'better' },
      { topic: 'x', prompt: 'Q', completion: 'from nothing' },
      { topic: 'x', prompt: asked, completion: [...chat.slice(0, 2), ...says('Yes')] },
    ]);
    expect(summary).toMatchObject({ tasks: 2, written: 3, skipped: {} });
  });

  it('writes edits over the answers that they started from', async () => {
    await annotated(task('pair', texts('good', 'bad')), {
      Ann: { choice: 'tie', edit: { answer: 1, text: 'not bad' } },
      Ben: { choice: 'tie', edit: { answer: null, text: 'from nothing' } },
      Cid: { choice: 'tie', edit: { answer: 0, text: 'good' } },
    });
    await annotated({ ...task('pair', texts('c', 'd')), prompt: 'R' }, { Ann: { choice: 'left' } });
    const { rows, summary } = await rowsOf({ to: 'pairs', edits: true });
    expect(rows.map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected])).toEqual([
      ['Q', 'not bad', 'bad'],
      ['R', 'c', 'd'],
    ]);
    expect(Object.entries(summary.skipped)).toEqual([
      [expect.stringMatching(/more votes/), 1],
      [expect.stringMatching(/started from no answer/), 1],
      [expect.stringMatching(/is no pair: /), 1],
    ]);
    const without = await rowsOf({ to: 'pairs' });
    expect(without.rows).toHaveLength(1);
    const options = { to: 'kto' as const, output: 'x.jsonl', overwrite: false, edits: true };
    expect(() => checkExport(options)).toThrow(/--edits.*--to kto.*demonstrations/);
  });

  it('writes mean ratings as columns', async () => {
    await annotated(task('pair', texts('good', 'bad')), {
      Ann: { choice: 'left', ratings: { helpful: [5, 1], honest: [4, null] } },
      Ben: { choice: 'left', ratings: { helpful: [4, 2] } },
      Cid: { choice: 'right' },
    });
    const pairs = await rowsOf({ to: 'pairs' });
    expect(pairs.rows[0]).toMatchObject({
      ...{ chosen: 'good', rating_helpful_chosen: 4.5, rating_helpful_rejected: 1.5 },
      ...{ rating_honest_chosen: 4, rating_honest_rejected: null },
    });
    const rankings = await rowsOf({ to: 'rankings' });
    expect(rankings.rows[0]).toMatchObject({ rating_helpful: [4.5, 1.5], ranking: [1, 2] });
    const thumbs = await rowsOf({ to: 'kto' });
    expect(thumbs.rows.map(({ rating_helpful }) => rating_helpful)).toEqual([4.5, 1.5]);
  });

  it.each([
    ['argilla', 'metadata'],
    ['label-studio', 'meta'],
  ] as const)('to %s has nothing of what models expect', async (to, field) => {
    const round = { number: 1, why: 'hard', value: 0.4, likes: { key: 0.8125 } };
    const ask = { why: 'disagreement', disagreement: 0.4, probability: 0.8125 };
    const pair = task('pair', texts('good', 'bad'));
    // The second task has columns of the user's data that have the same names.
    const named = { round: 3, ask: { whom: 'Ann' } };
    const inputs = [
      { ...pair, columns: { topic: 'x', round, ask } },
      { ...pair, prompt: 'R', columns: named },
    ];
    await store.addTasks(project, inputs, { random: () => 0.99 });
    const output = join(folder, `${to}.json`);
    const given = { project: 'p', labels: 'majority' as const, overwrite: false, minVotes: 0 };
    await exportProject(store, { ...given, to, output });
    const rows = JSON.parse(readFileSync(output, 'utf8')) as Record<string, unknown>[];
    expect(rows.map((row) => row[field])).toEqual([{ topic: 'x' }, named]);
  });

  it('counts votes that may follow a suggestion, and marks them for Label Studio', async () => {
    const id = await annotated(task('pair', texts('good', 'bad')), {
      Ann: { choice: 'right' },
      Ben: { choice: 'left' },
    });
    const plain = await rowsOf({ to: 'pairs', labels: 'votes' });
    expect(plain.rows).toMatchObject([{ votes: { chosen: 1, rejected: 1, ties: 0 } }]);
    expect(JSON.stringify(plain.rows)).not.toContain('after_suggestion');
    await store.noteSuggestionsShown(id, 'Ann');
    await store.reopen(id, 'Ann');
    await store.annotate(id, 'Ann', { choice: 'left' });
    const { rows } = await rowsOf({ to: 'pairs' });
    expect(rows).toMatchObject([
      { votes: { chosen: 2, rejected: 0, ties: 0, after_suggestion: 1 } },
    ]);
    const output = join(folder, 'suggested.json');
    const given = { project: 'p', labels: 'majority' as const, overwrite: false, minVotes: 0 };
    await exportProject(store, { ...given, to: 'label-studio', output });
    const [{ annotations }] = JSON.parse(readFileSync(output, 'utf8'));
    const marks = annotations.map((one: Record<string, { email: string }>) => [
      ...[one.completed_by!.email, one.after_suggestion],
    ]);
    expect(marks.sort()).toEqual([
      ['Ann', true],
      ['Ben', undefined],
    ]);
  });

  it('writes the verdict that settled a task, whatever the votes say', async () => {
    const id = await annotated(task('pair', texts('good', 'bad')), {
      Ann: { choice: 'left', strength: 3, ratings: { helpful: [5, 1] } },
      Ben: { choice: 'left', strength: 1 },
      Cid: { choice: 'right' },
    });
    await store.adjudicate(id, 'Eve', {
      ...{ choice: 'right', strength: 2, ratings: { helpful: [1, 2] } },
      edit: { answer: 1, text: 'best' },
    });
    const { rows } = await rowsOf({ to: 'pairs', minVotes: 9, edits: true });
    expect(rows).toEqual([
      {
        ...{ topic: 'x', prompt: 'Q', chosen: 'bad', rejected: 'good', margin: 2 },
        ...{ rating_helpful_chosen: 2, rating_helpful_rejected: 1, adjudicated: true },
        votes: { chosen: 1, rejected: 2, ties: 0 },
      },
      { topic: 'x', prompt: 'Q', chosen: 'best', rejected: 'bad' },
    ]);
    const soft = await rowsOf({ to: 'pairs', labels: 'votes' });
    expect(soft.rows).toMatchObject([{ chosen: 'bad', label_probability: 1 }]);
    expect((await rowsOf({ to: 'rankings' })).rows).toMatchObject([{ ranking: [2, 1] }]);
    expect((await rowsOf({ to: 'demonstrations' })).rows).toMatchObject([{ completion: 'best' }]);
    expect((await rowsOf({ to: 'kto' })).rows.map(({ label }) => label)).toEqual([false, true]);
  });
});
