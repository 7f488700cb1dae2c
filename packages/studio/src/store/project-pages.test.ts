// What pages show: projects, lists of tasks, one task, disagreements and their settlement.
import type { Content } from '@keel/align/data';
import { describe, expect, it } from 'vitest';
import { agreementOf } from '../agreement/agreement.ts';
import type { NamedVerdict, TaskInput } from './items.ts';
import { PreferenceStore } from './preference-store.ts';
import { databases } from './testing/databases.ts';

const said = (
  person: string,
  choice: NamedVerdict['choice'],
  more: Partial<NamedVerdict> = {},
) => ({
  ...{ person, choice, at: `2026-01-01T00:00:0${person.length}Z` },
  ...more,
});
const pair = (prompt: string, annotations: NamedVerdict[] = [], more: Partial<TaskInput> = {}) => ({
  ...{ kind: 'pair' as const, prompt, annotations },
  answers: [{ content: `yes to ${prompt}`, model: 'one' }, { content: `no to ${prompt}` }],
  ...more,
});

const inputs: TaskInput[] = [
  pair('All agree', [said('Ann', 'left'), said('Ben', 'left')]),
  pair('Two of three', [said('Ann', 'left'), said('Ben', 'left'), said('Cid', 'right')]),
  pair('One of two', [said('Ann', 'left'), said('Ben', 'tie', { flagged: true })]),
  pair('Nobody', []),
  pair('One 100% skip', [said('Ann', null)]),
  pair('Known', [], { gold: { choice: 'left' } }),
];

async function filled(database: string) {
  const store = await PreferenceStore.open(database);
  const project = await store.openProject('p');
  await store.addTasks(project, inputs, { overlap: 2, random: () => 0.99 });
  return { store, project };
}

describe.each(databases)('%s', (_, newDatabase) => {
  it('lists projects with what is in them', async () => {
    const { store, project } = await filled(await newDatabase());
    await using _store = store;
    await store.openProject('empty');
    const [empty, full] = await store.overview();
    expect(empty).toMatchObject({
      ...{ name: 'empty', tasks: 0, finished: 0, verdicts: 0, people: 0, lastActivity: null },
    });
    expect(full).toEqual({
      ...{ id: project, name: 'p', createdAt: full!.createdAt, tasks: 6, finished: 3, gold: 1 },
      ...{ verdicts: 7, people: 3, lastActivity: '2026-01-01T00:00:03Z' },
    });
  });

  it('finds text as it was written, with quotes and lines', async () => {
    const { store, project } = await filled(await newDatabase());
    await using _store = store;
    const answers = [{ content: 'a' }, { content: 'b' }];
    const prompt = 'Say "hello"\nin C:\\';
    await store.addTasks(project, [{ kind: 'pair', prompt, answers, annotations: [] }], {
      overlap: 1,
      random: () => 0.99,
    });
    for (const text of ['"HELLO"', '"\nin', 'c:\\'])
      expect((await store.taskList(project, { text })).tasks.map((one) => one.prompt)).toEqual([
        prompt,
      ]);
  });

  it('finds the text of messages, and not the words of the stored form', async () => {
    const { store, project } = await filled(await newDatabase());
    await using _store = store;
    const answers = [{ content: 'a' }, { content: 'b' }];
    const chats: Content[] = [
      [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What is a "role"?\nÄpfel\u0000\ud800' },
      ],
      [
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: null, tool_calls: [{ name: 'forecast' }] },
      ],
      'Plain\ntext\\u0000',
    ];
    const made = chats.map(
      (prompt): TaskInput => ({
        ...{ kind: 'pair', prompt, answers, annotations: [] },
      }),
    );
    await store.addTasks(project, made, { overlap: 1, random: () => 0.99 });
    const found = async (text: string) => {
      const { total, tasks } = await store.taskList(project, { text });
      expect(tasks).toHaveLength(total);
      return tasks.map(({ prompt }) => prompt.split(/\W/)[0]);
    };
    for (const text of ['ROLE"?', '"role"', 'brief', 'äpfel', 'Äpfel', 'ÄPFEL'])
      expect(await found(text), text).toEqual(['Be']);
    expect(await found('weather')).toEqual(['Weather']);
    // Names of fields and roles, calls of tools, brackets, and the n of a line's end.
    for (const text of ['user', 'content', 'assistant', 'system', 'forecast', '[{', '":"', 'ntext'])
      expect(await found(text), text).toEqual([]);
    expect(await found('text\\u0000')).toEqual(['Plain']);
    expect(await store.annotations(project, { text: 'content' })).toEqual([]);
    // PostgreSQL refuses a query with a null character.
    expect(await found('weather\0')).toEqual([]);
    expect(await store.annotations(project, { text: '\0' })).toEqual([]);
  });

  it('lists tasks by state, text and what people said', async () => {
    const { store, project } = await filled(await newDatabase());
    await using _store = store;
    const names = async (
      ...given: Parameters<PreferenceStore['taskList']> extends [string, ...infer R] ? R : never
    ) => {
      const { total, tasks } = await store.taskList(project, ...given);
      return [total, tasks.map(({ prompt }) => prompt)];
    };
    expect((await names())[0]).toBe(6);
    expect(await names({ state: 'new' })).toEqual([3, ['Nobody', 'One 100% skip', 'Known']]);
    expect(await names({ state: 'started' })).toEqual([0, []]);
    expect((await names({ state: 'finished' }))[0]).toBe(3);
    expect(await names({ flagged: true })).toEqual([1, ['One of two']]);
    expect(await names({ skipped: true })).toEqual([1, ['One 100% skip']]);
    expect(await names({ gold: true })).toEqual([1, ['Known']]);
    expect(await names({ text: '0% S' })).toEqual([1, ['One 100% skip']]);
    expect(await names({ text: 'o', state: 'finished' }, { limit: 1, offset: 1 })).toEqual([
      2,
      ['One of two'],
    ]);
    expect((await names({}, { sort: 'dispute', limit: 2 }))[1]).toEqual([
      'One of two',
      'Two of three',
    ]);
    await store.setPriorities(
      project,
      new Map([[(await store.taskList(project, { text: 'Nobody' })).tasks[0]!.id, 2]]),
      'judge',
    );
    expect((await store.taskList(project, {}, { sort: 'priority' })).tasks[0]).toMatchObject({
      ...{ prompt: 'Nobody', priority: 2, prioritySource: 'judge', answers: 2, overlap: 2 },
      ...{ taken: 0, verdicts: 0, gold: false, adjudicated: false, answeredAt: null },
    });
    expect((await names({}, { sort: 'newest', limit: 1 }))[1]).toEqual(['All agree']);
  });

  it('shows everything of a task', async () => {
    const { store, project } = await filled(await newDatabase());
    await using _store = store;
    const { tasks } = await store.taskList(project, { text: 'Two of three' });
    await store.reopen(tasks[0]!.id, 'Ann');
    const { draft } = await store.taskFor(project, tasks[0]!.id, 'Ann');
    await store.annotate(tasks[0]!.id, 'Ann', { choice: 'both_bad' });
    expect(draft!.version).toBe(1);
    const detail = await store.taskDetail(tasks[0]!.id);
    expect(detail).toMatchObject({
      ...{ project, prompt: 'Two of three', answers: [{ model: 'one' }, { model: null }] },
      ...{ adjudication: null, adjudications: [], gold: null, dispute: 1 },
    });
    expect(detail.versions.map((one) => [one.person, one.version, one.choice])).toEqual([
      ['Ann', 1, 'left'],
      ['Ann', 2, 'both_bad'],
      ['Ben', 1, 'left'],
      ['Cid', 1, 'right'],
    ]);
    expect(detail.annotations).toHaveLength(3);
    expect(detail.claims).toHaveLength(3);
    expect(detail.claims[0]).toMatchObject({ state: 'done', reason: null });
    await expect(store.taskDetail('none')).rejects.toThrow(/no task none/);
  });

  it('lists what people disagree on until it is settled, which is no vote', async () => {
    const { store, project } = await filled(await newDatabase());
    await using _store = store;
    const open = async () =>
      (await store.disagreements(project)).tasks.map(({ prompt, dispute }) => [prompt, dispute]);
    expect(await open()).toEqual([
      ['One of two', 1],
      ['Two of three', 2 / 3],
    ]);
    const before = agreementOf(await store.votes(project));
    const [worst] = (await store.disagreements(project, { limit: 1 })).tasks;
    expect(await store.adjudicate(worst!.id, 'Eve', { choice: 'left', strength: 2 })).toBe(1);
    expect(await store.adjudicate(worst!.id, 'Eve', { choice: 'right', comment: 'Wrong' })).toBe(2);
    expect(await open()).toEqual([['Two of three', 2 / 3]]);
    const { total } = await store.disagreements(project);
    expect(total).toBe(1);
    expect(agreementOf(await store.votes(project))).toEqual(before);
    const detail = await store.taskDetail(worst!.id);
    expect(detail.adjudications).toMatchObject([
      { person: 'Eve', version: 1, choice: 'left', strength: 2 },
      { person: 'Eve', version: 2, choice: 'right', comment: 'Wrong' },
    ]);
    expect(detail.adjudication).toEqual(detail.adjudications[1]);
    const settle = (verdict: Parameters<PreferenceStore['adjudicate']>[2]) =>
      store.adjudicate(worst!.id, 'Eve', verdict);
    await expect(settle({ choice: null })).rejects.toThrow(/needs a choice/);
    await expect(settle({ choice: 'up' })).rejects.toThrow(/a verdict on a pair/);
    await expect(store.adjudicate('none', 'Eve', { choice: 'left' })).rejects.toThrow(/no task/);
  });

  it('measures the disagreement on rankings by each two answers', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    const ranked = (person: string, ranks: number[]) => ({
      ...{ person, choice: 'ranked' as const, ranks },
    });
    const answers = ['a', 'b', 'c'].map((content) => ({ content }));
    await store.addTasks(
      project,
      [
        {
          ...{ kind: 'ranking', prompt: 'Which?', answers },
          annotations: [ranked('Ann', [1, 2, 3]), ranked('Ben', [2, 1, 3])],
        },
      ],
      { random: () => 0.99 },
    );
    expect((await store.disagreements(project)).tasks[0]!.dispute).toBeCloseTo(1 / 3, 12);
  });

  it('renames and deletes a project, and leaves the others alone', async () => {
    const { store, project } = await filled(await newDatabase());
    await using _store = store;
    const other = await store.openProject('other');
    await store.addTasks(other, inputs, { overlap: 2, random: () => 0.99 });
    await store.saveGuidelines(project, 'Be brief.');
    const { tasks } = await store.taskList(project, { disputed: true });
    await store.adjudicate(tasks[0]!.id, 'Eve', { choice: 'left' });
    await expect(store.renameProject(project, 'other')).rejects.toThrow(/already a project/);
    await expect(store.renameProject(project, ' ')).rejects.toThrow(/needs a name/);
    await expect(store.renameProject('none', 'x')).rejects.toThrow(/no project none/);
    await store.renameProject(project, 'new name');
    expect(await store.projects()).toEqual(['new name', 'other']);
    const before = await store.overview();
    await store.deleteProject(project);
    expect(await store.overview()).toEqual(before.slice(1));
    expect(await Array.fromAsync(store.tasks(other))).toHaveLength(6);
    await expect(store.deleteProject(project)).rejects.toThrow(/no project/);
    await expect(store.taskDetail(tasks[0]!.id)).rejects.toThrow(/no task/);
  });
});
