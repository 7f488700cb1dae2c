// The same tests on both databases.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { StoredTask, TaskInput } from './items.ts';
import { PreferenceStore } from './preference-store.ts';
import { databases, folder } from './testing/databases.ts';

const annotator = fileURLToPath(new URL('testing/annotator.ts', import.meta.url));
const pair = (at: number, annotations: TaskInput['annotations'] = []): TaskInput => ({
  kind: 'pair',
  prompt: `Question ${at}?`,
  answers: [
    { content: 'Yes.', model: 'base' },
    { content: [{ role: 'assistant', content: `No, not ${at}.` }], sampling: { temperature: 0.7 } },
  ],
  columns: { topic: 'numbers' },
  annotations,
});

/** Draws that leave the order, or swap two answers. */
const [kept, swapped] = [() => 0.99, () => 0];
const adding = { overlap: 1, random: kept };

async function all(store: PreferenceStore, project: string): Promise<StoredTask[]> {
  return Array.fromAsync(store.tasks(project));
}

describe.each(databases)('%s', (name, newDatabase) => {
  it('keeps tasks with their answers, columns and order', async () => {
    const database = await newDatabase();
    let project: string;
    {
      await using store = await PreferenceStore.open(database);
      project = await store.openProject('first');
      expect(await store.openProject('first')).toBe(project);
      const inputs = [pair(0), pair(1)];
      const added = await store.addTasks(project, inputs, { overlap: 2, random: swapped });
      expect(added).toMatchObject({ tasks: 2, known: 0, annotations: 0, gold: 0 });
    }
    // Another opening finds the same tables and rows.
    await using store = await PreferenceStore.open(database);
    const [task, other] = await all(store, project);
    const { answers, columns, overlap, prompt } = task!;
    expect(prompt).toBe('Question 0?');
    expect(other!.prompt).toBe('Question 1?');
    expect([columns, overlap]).toEqual([{ topic: 'numbers' }, 2]);
    expect(answers).toEqual([
      {
        content: [{ role: 'assistant', content: 'No, not 0.' }],
        ...{ model: null, adapter: null, sampling: { temperature: 0.7 } },
      },
      { content: 'Yes.', model: 'base', adapter: null, sampling: null },
    ]);
  });

  it('adds what settled a task once, and finds tasks by their content', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    const adding = { overlap: 1, random: () => 0 };
    const input = {
      ...pair(0, [{ person: 'Ann', choice: 'left' as const }]),
      adjudication: { person: 'Eve', choice: 'right' as const, strength: 2 },
    };
    expect(await store.addTasks(project, [input], adding)).toMatchObject({ adjudications: 1 });
    expect(await store.addTasks(project, [input], adding)).toMatchObject({ adjudications: 0 });
    const changed = { ...input, adjudication: { person: 'Eve', choice: 'tie' as const } };
    expect(await store.addTasks(project, [changed], adding)).toMatchObject({ adjudications: 1 });
    const [task] = (await store.taskList(project, { adjudicated: true })).tasks;
    const { adjudications, answers } = await store.taskDetail(task!.id);
    expect(adjudications).toMatchObject([{ version: 1 }, { version: 2, choice: 'tie' }]);
    const first = adjudications[0]!.choice === 'left' ? 0 : 1;
    expect(answers[first]!.content).toEqual(input.answers[1]!.content);
    const turned = { ...pair(0), answers: input.answers.toReversed() };
    expect(await store.findTasks(project, [pair(7), turned])).toEqual([null, task!.id]);
    expect(await store.taskIds(project)).toEqual(new Set([task!.id]));
  });

  it('counts equal tasks once, and turns verdicts to its own order', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    await store.addTasks(project, [pair(0)], adding);
    const [first, second] = pair(0).answers;
    const turned: TaskInput = {
      ...pair(0),
      answers: [second!, first!],
      shown: true,
      annotations: [
        { person: 'Ann', choice: 'left', strength: 2 },
        { person: 'Ben', choice: 'right', probability: 0.2 },
      ],
      gold: { choice: 'left' },
    };
    const added = await store.addTasks(project, [turned], adding);
    expect(added).toMatchObject({ tasks: 0, known: 1, annotations: 2, gold: 1 });
    const again = await store.addTasks(project, [turned], adding);
    expect(again).toMatchObject({ annotations: 0, known: 1 });
    const [task, ...others] = await all(store, project);
    expect(others).toEqual([]);
    expect(task!.gold).toEqual({ choice: 'right', ranks: null });
    expect(task!.annotations).toMatchObject([
      { person: 'Ann', choice: 'right', strength: 2, order: null, version: 1 },
      { person: 'Ben', choice: 'left', probability: 0.8 },
    ]);
  });

  it('turns the ranks of a ranking', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    const contents = ['a', 'b', 'c'];
    const ranking: TaskInput = {
      kind: 'ranking',
      prompt: 'Which?',
      answers: contents.map((content) => ({ content })),
      annotations: [{ person: 'Ann', choice: 'ranked', ranks: [3, 1, 2] }],
    };
    await store.addTasks(project, [ranking], { overlap: 1, random: swapped });
    const [task] = await all(store, project);
    const shown = task!.answers.map(({ content }) => content as string);
    expect(shown).not.toEqual(contents);
    const rankOf: Record<string, number> = { a: 3, b: 1, c: 2 };
    expect(task!.annotations[0]!.ranks).toEqual(shown.map((one) => rankOf[one]));
  });

  it('keeps every version of a verdict', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    await store.addTasks(project, [pair(0)], adding);
    await store.saveGuidelines(project, 'Be brief.');
    const task = (await store.claim(project, 'Ann', { random: kept }))!;
    expect(await store.annotate(task, 'Ann', { choice: 'left', seconds: 4.5 })).toBe(1);
    expect(await store.annotate(task, 'Ann', { choice: 'both_bad', comment: 'Both wrong' })).toBe(
      2,
    );
    const versions = await store.versions(task, 'Ann');
    expect(versions).toMatchObject([
      { version: 1, choice: 'left', seconds: 4.5, order: [0, 1] },
      { version: 2, choice: 'both_bad', comment: 'Both wrong' },
    ]);
    expect(await store.annotations(project)).toMatchObject([{ choice: 'both_bad', version: 2 }]);
    expect((await store.votes(project)).lines).toMatchObject([{ choice: 'both_bad' }]);
    const [stored] = await all(store, project);
    expect(stored!.annotations).toEqual([versions[1]]);
  });

  it('keeps every version of the guidelines', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    expect(await store.guidelines(project)).toBeNull();
    expect(await store.saveGuidelines(project, 'one')).toBe(1);
    expect(await store.saveGuidelines(project, 'one')).toBe(1);
    expect(await store.saveGuidelines(project, 'two')).toBe(2);
    expect(await store.guidelines(project)).toEqual({ version: 2, text: 'two' });
  });

  it('writes all of an import, or nothing', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    const wrong = { ...pair(1), kind: null as never };
    await expect(store.addTasks(project, [pair(0), wrong], adding)).rejects.toThrow();
    expect(await all(store, project)).toEqual([]);
    // The connection is usable again.
    await store.addTasks(project, [pair(0)], adding);
    expect(await all(store, project)).toHaveLength(1);
  });

  it('gives a claimed task again, and frees an old claim', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    await store.addTasks(project, [pair(0)], adding);
    const now = new Date('2026-01-01T00:00:00Z');
    const task = await store.claim(project, 'Ann', { now });
    expect(await store.claim(project, 'Ann', { now })).toBe(task);
    expect(await store.claim(project, 'Ben', { now })).toBeNull();
    await expect(store.annotate(task!, 'Ben', { choice: 'left' })).rejects.toThrow(/Claim it/);
    const later = new Date('2026-01-01T00:31:00Z');
    expect(await store.claim(project, 'Ben', { now: later })).toBe(task);
    await store.annotate(task!, 'Ben', { choice: null });
    // Others can have what Ben skipped, but not Ben.
    expect(await store.claim(project, 'Ben', { now: later })).toBeNull();
    expect(await store.claim(project, 'Ann', { now: later })).toBe(task);
    expect((await store.votes(project)).skipped).toBe(1);
  });

  it.each([
    [{ choice: 'up' as const }, /left, right, tie, both_bad/],
    [{ choice: 'left' as const, strength: -1 }, /strength/],
    [{ choice: 'left' as const, seconds: Number.NaN }, /seconds/],
    [{ choice: 'left' as const, probability: 1.5 }, /0 to 1/],
  ])('refuses %o on a pair', async (verdict, message) => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    await store.addTasks(project, [pair(0)], adding);
    const task = (await store.claim(project, 'Ann'))!;
    await expect(store.annotate(task, 'Ann', verdict)).rejects.toThrow(message);
    expect(await store.versions(task, 'Ann')).toEqual([]);
  });

  it('lists by person, choice and text', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    const by = (person: string, choice: 'left' | 'tie', comment?: string) => ({
      ...{ person, choice, comment },
    });
    const inputs = [
      pair(0, [by('Ann', 'left'), by('Ben', 'tie', '100% wrong')]),
      pair(1, [by('Ann', 'tie')]),
    ];
    await store.addTasks(project, inputs, adding);
    const count = async (filter: object) => (await store.annotations(project, filter)).length;
    expect(await count({})).toBe(3);
    expect(await count({ person: 'Ann' })).toBe(2);
    expect(await count({ choice: 'tie' })).toBe(2);
    expect(await count({ person: 'Ann', choice: 'tie' })).toBe(1);
    expect(await count({ text: 'QUESTION 1' })).toBe(1);
    expect(await count({ text: '0% w' })).toBe(1);
    expect(await count({ text: '_' })).toBe(0);
    expect(await count({ limit: 2 })).toBe(2);
    expect(await count({ limit: 2, offset: 2 })).toBe(1);
  });

  it('names a project that does not exist, and near ones', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    await expect(store.project('helpful')).rejects.toThrow(/keel data import/);
    await store.openProject('helpfulness');
    await expect(store.project('helpfulnes')).rejects.toThrow(/helpfulness/);
    expect(store.name).not.toContain('secret');
  });

  it('gives each slot to one person, whoever asks at the same time', async () => {
    const database = await newDatabase();
    const tasks = 20;
    {
      await using store = await PreferenceStore.open(database);
      const project = await store.openProject('p');
      const inputs = Array.from({ length: tasks }, (_, at) => pair(at));
      await store.addTasks(project, inputs, { overlap: 2, random: kept });
    }
    const people = ['Ann', 'Ben', 'Cid', 'Dee'];
    const done = await Promise.all(
      people.map(async (person) => {
        const child = spawn(process.execPath, [annotator, database, 'p', person], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const lines: string[] = [];
        createInterface(child.stdout).on('line', (line) => lines.push(line));
        const [code] = await once(child, 'close');
        expect(code).toBe(0);
        return lines;
      }),
    );
    for (const own of done) expect(new Set(own).size).toBe(own.length);
    expect(done.flat()).toHaveLength(2 * tasks);
    await using store = await PreferenceStore.open(database);
    const stored = await all(store, await store.project('p'));
    for (const { annotations } of stored)
      expect(new Set(annotations.map(({ person }) => person)).size).toBe(2);
  });

  it('loses no confirmed verdict when it is killed', async () => {
    const database = await newDatabase();
    {
      await using store = await PreferenceStore.open(database);
      const project = await store.openProject('p');
      const inputs = Array.from({ length: 500 }, (_, at) => pair(at));
      await store.addTasks(project, inputs, adding);
    }
    const child = spawn(process.execPath, [annotator, database, 'p', 'Ann'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const confirmed: string[] = [];
    createInterface(child.stdout).on('line', (line) => {
      confirmed.push(line);
      if (confirmed.length === 25) child.kill('SIGKILL');
    });
    const [, signal] = await once(child, 'close');
    expect(signal).toBe('SIGKILL');
    await using store = await PreferenceStore.open(database);
    const project = await store.project('p');
    const stored = await store.annotations(project, { limit: 1000 });
    expect(stored.length).toBeLessThan(500);
    const tasks = new Set(stored.map(({ task }) => task));
    expect(confirmed.filter((task) => !tasks.has(task))).toEqual([]);
    for (const one of stored) expect(one).toMatchObject({ version: 1, comment: 'from Ann' });
    // Work goes on, with the task that was claimed when it ended or the next.
    const next = (await store.claim(project, 'Ann'))!;
    expect(tasks.has(next)).toBe(false);
    expect(await store.annotate(next, 'Ann', { choice: 'right' })).toBe(1);
  });

  it('refuses the tables of a newer version', async () => {
    const database = await newDatabase();
    await (await PreferenceStore.open(database))[Symbol.asyncDispose]();
    const newer = "insert into kysely_migration values ('999-later', '2030-01-01')";
    if (name === 'PostgreSQL') {
      const client = new pg.Client({ connectionString: database });
      await client.connect();
      await client.query(newer);
      await client.end();
    } else {
      const file = new DatabaseSync(database);
      file.exec(newer);
      file.close();
    }
    await expect(PreferenceStore.open(database)).rejects.toThrow(/another version.*Update Keel/);
  });
});

describe('a database that cannot be used', () => {
  it('is a folder that does not exist', async () => {
    await expect(PreferenceStore.open(join(folder(), 'none/x.sqlite'))).rejects.toThrow(/folder/);
  });

  it('is a file of something else', async () => {
    const file = join(folder(), 'text.sqlite');
    writeFileSync(file, 'This is text, and longer than the header of a database. '.repeat(20));
    await expect(PreferenceStore.open(file)).rejects.toThrow(/not a SQLite database/);
  });

  it('is a server that does not answer', async () => {
    const url = 'postgres://keel:secret@127.0.0.1:1/none';
    const error = await PreferenceStore.open(url).catch((one: Error) => one);
    expect((error as Error).message).toMatch(/server runs/);
    expect((error as Error).message).not.toContain('secret');
  });
});
