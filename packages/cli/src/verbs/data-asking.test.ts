// What people are asked next and how: settings, priorities, suggestions, adjudications, battles and
// the log, on one store.
import { readFileSync, writeFileSync } from 'node:fs';
import { type OptionsDefinition, resolveOptions } from '@keel/align/config';
import { PreferenceStore } from '@keel/studio';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const folder = new TemporaryFolder();
const database = folder.file('store.sqlite');
const env = { KEEL_DATABASE: database, KEEL_CACHE: folder.file('cache') };
const lines = (rows: readonly object[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const pairs = ['One', 'Two', 'Three'].map((prompt) => ({
  ...{ prompt, answers: [{ content: 'yes' }, { content: 'no, never' }] },
  ...{ kind: 'pair' as const, shown: true },
}));

beforeAll(async () => {
  await using store = await PreferenceStore.open(database);
  const project = await store.openProject('p');
  const round = { number: 1, why: 'hard', value: 0.5, likes: { key: 0.625 } };
  const said = (person: string, choice: 'left' | 'right') => ({ person, choice });
  await store.addTasks(
    project,
    [
      {
        ...pairs[0]!,
        columns: { round },
        annotations: [said('Ann', 'left'), said('Ben', 'right')],
      },
      { ...pairs[1]!, annotations: [] },
      { ...pairs[2]!, annotations: [] },
    ],
    { overlap: 2, random: () => 0.99 },
  );
});
afterAll(() => folder[Symbol.dispose]());

/** A command that must end well, with its JSON. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const ended = await keel([...args, '--json'], { env });
  expect(ended.code, ended.stderr).toBe(0);
  return jsonLines(ended.stdout).at(-1)!;
}

async function shown(...args: string[]): Promise<string> {
  const ended = await keel(args, { env });
  expect(ended.code, ended.stderr).toBe(0);
  return ended.stdout;
}

const idOf = async (prompt: string): Promise<string> => {
  await using store = await PreferenceStore.open(database);
  const { tasks } = await store.taskList(await store.project('p'), { text: prompt });
  return tasks[0]!.id;
};

test('settings are shown and changed, one by one', async () => {
  const data = ['data', 'settings', '--project', 'p'];
  expect(await json(...data)).toMatchObject({ settings: { overlap: 1, tie: true, aspects: [] } });
  const changed = await shown(
    ...[...data, '--overlap', '2', '--order', 'priority', '--no-tie', '--strengths', 'none'],
    ...['--aspects', 'helpful', 'risky=0-4 How risky, really?'],
  );
  expect(changed).toMatch(/overlap +2 \(was 1\)/);
  expect(changed).toMatch(/tie +no \(was yes\)/);
  const { settings } = await json(...data, '--aspects', 'risky');
  expect(settings).toMatchObject({
    ...{ overlap: 2, order: 'priority', tie: false, bothBad: true, strengths: [] },
    aspects: [{ key: 'risky', label: 'Risky', question: 'How risky, really?', least: 0, most: 4 }],
  });
  expect(await json(...data, '--aspects', 'none')).toMatchObject({ settings: { aspects: [] } });
});

test('priorities come from rows by id, or by prompt and answers', async () => {
  const file = folder.file('priorities.jsonl');
  const two = { prompt: 'Two', completions: ['no, never', 'yes'], priority: 3 };
  writeFileSync(file, lines([two, { task: await idOf('Three'), priority: 7 }]));
  const set = ['data', 'priorities', file, '--project', 'p'];
  expect(await json(...set, '--source', 'me')).toMatchObject({ rows: 2, tasks: 2, badRows: 0 });
  const listed = await json('data', 'tasks', '--project', 'p', '--sort', 'priority');
  expect(listed).toMatchObject({
    total: 3,
    tasks: [
      { prompt: 'Three', priority: 7, prioritySource: 'me' },
      { prompt: 'Two', priority: 3, prioritySource: 'me' },
      { prompt: 'One', priority: 0, prioritySource: null },
    ],
  });
  expect(await shown('data', 'tasks', '--project', 'p', '--state', 'new')).toContain('2 tasks');
  for (const [row, fault] of [
    [{ task: 'none', priority: 1 }, /bad\.jsonl:1: field "task": expected a task of project p/],
    [{ ...two, priority: 'high' }, /field "priority": expected a number, found a string/],
    [{ ...two, prompt: 'Four' }, /prompt and answers of none/],
  ] as const) {
    writeFileSync(folder.file('bad.jsonl'), lines([row]));
    const ended = await keel(['data', 'priorities', folder.file('bad.jsonl'), '--project', 'p'], {
      env,
    });
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringMatching(fault)]);
  }
});

test('disagreements are listed and settled', async () => {
  const data = ['data', 'adjudicate', '--project', 'p'];
  const text = await shown(...data);
  await using store = await PreferenceStore.open(database);
  const project = await store.project('p');
  await store.saveSuggestions(project, 'the-judge', new Map([[await idOf('One'), 0.875]]));
  // Whoever settles a task learns only afterwards what models expected.
  const listed = JSON.stringify(await json(...data));
  expect(listed).toContain('Ben');
  expect(listed).not.toMatch(/the-judge|0\.875|0\.625/);
  expect(text).toContain('Ann: left, Ben: right');
  expect(text).toContain('1 disagreement');
  const id = await idOf('One');
  const edit = folder.file('better.txt');
  writeFileSync(edit, 'No, not at all.\n');
  const settled = await json(
    ...['data', 'adjudicate', id, '--project', 'p', '--choice', 'right', '--person', 'Eve'],
    ...['--edit', edit, '--edit-of', '2', '--comment', 'none'],
  );
  expect(settled).toEqual({ task: id, person: 'Eve', version: 1 });
  expect(await json(...data)).toMatchObject({ total: 0, tasks: [] });
  const output = folder.file('pairs.jsonl');
  await shown('data', 'export', '--project', 'p', '--edits', '--output', output);
  expect(jsonLines(readFileSync(output, 'utf8'))).toMatchObject([
    { chosen: 'no, never', rejected: 'yes', adjudicated: true },
    { chosen: 'No, not at all.', rejected: 'no, never' },
  ]);
});

test('judges set priorities, and say what they expect', async () => {
  const judge = folder.file('judge.ts');
  writeFileSync(
    judge,
    `export const likes = (prompt, a, b) => (a.length > b.length ? 0.75 : 0.25);
export const sure = (prompt, a, b) => prompt === 'Two' ? Number(a.length > b.length) : a.length < b.length ? 0.875 : 0.125;
`,
  );
  const asked = await json(
    ...['ask', '--project', 'p', '--judge', `${judge}#likes`, '--judge', `${judge}#sure`],
  );
  // One is settled, and has its two verdicts.
  expect(asked).toMatchObject({ type: 'final', rows: 2, by: 'disagreement' });
  const { tasks } = await json('data', 'tasks', '--project', 'p', '--sort', 'priority');
  expect(tasks).toMatchObject([
    { prompt: 'Three', prioritySource: "judges' disagreement" },
    { prompt: 'Two', prioritySource: "judges' disagreement" },
    { prompt: 'One', prioritySource: null },
  ]);
  const [three] = tasks as { priority: number }[];
  expect(three!.priority).toBeCloseTo(0.625 / Math.SQRT2, 5);
  const suggest = ['data', 'suggest', '--project', 'p', '--judge', `${judge}#likes`];
  expect(await json(...suggest, '--limit', '1')).toMatchObject({ saved: 1, known: 0 });
  expect(await json(...suggest)).toMatchObject({ saved: 1, known: 1, shown: false });
  await using store = await PreferenceStore.open(database);
  const [suggestion] = await store.suggestionsOf(await idOf('Two'));
  expect(suggestion!.probability).toBe(0.25);
});

test('battles are rated and listed', async () => {
  {
    await using store = await PreferenceStore.open(database);
    const project = await store.project('p');
    const why = { reason: 'random', gain: 0.5 } as const;
    const { id } = await store.startBattle(project, 'Ann', ['one', 'two'], why);
    await store.addTurn(id, 'Ann', { prompt: 'Why?', left: 'So.', right: 'No.' });
    await store.voteBattle(id, 'Ann', { vote: 'tie' });
  }
  const found = await json('data', 'battles', '--project', 'p', '--model', 'two');
  expect(found).toMatchObject({ battles: 1, ties: 1, total: 1, listed: [{ reason: 'random' }] });
  expect(found.ratings).toHaveLength(2);
  const text = await shown('data', 'battles', '--project', 'p');
  for (const part of ['one', 'two', 'tie', 'random', 'Why?', '--to battles'])
    expect(text).toContain(part);
});

test('projects are made, renamed and deleted, and the log says who did it', async () => {
  const made = await json('data', 'projects', '--create', 'other');
  expect(made.projects).toMatchObject([
    { name: 'other', tasks: 0 },
    { name: 'p', tasks: 3 },
  ]);
  await shown('data', 'projects', '--rename', 'other', '--as', 'last');
  expect(await shown('data', 'projects', '--delete', 'last', '--yes')).toContain('1 project');
  const log = await json('data', 'log', '--project', 'last');
  expect(log).toMatchObject({
    total: 2,
    actions: [{ action: 'project deleted' }, { action: 'project renamed' }],
  });
  const text = await shown('data', 'log', '--action', 'settings changed');
  expect(text).toContain('overlap 2 (was 1)');
});

const verbOptions = {
  adjudicate: () => import('../options/data-adjudicate.ts'),
  ask: () => import('../options/ask.ts'),
  log: () => import('../options/data-log.ts'),
  projects: () => import('../options/data-projects.ts'),
  settings: () => import('../options/data-settings.ts'),
} as const;

test.each([
  ['settings', { project: 'p', overlap: '0' }, '--overlap: expected a number'],
  ['settings', { project: 'p', aspects: ['Bad key'] }, '--aspects: expected a key'],
  ['adjudicate', { project: 'p', choice: 'left' }, 'only with the id of a task'],
  ['adjudicate', { project: 'p', task: 'x' }, 'pass either --choice, or --ranks'],
  ['projects', { delete: 'p' }, 'pass --yes too'],
  ['projects', { rename: 'p' }, 'pass --rename and --as together'],
  ['log', { action: 'settings' }, 'found "settings"; '],
  ['ask', { project: 'p' }, 'say by what pairs are scored'],
  ['ask', { project: 'p', judge: ['j'], policy: ['x'] }, 'found 2'],
  ['ask', { judge: ['j'], output: 'x' }, 'pass either --data, or --project'],
  ['ask', { project: 'p', judge: ['j'], count: '3' }, '--count: has no effect'],
  ['ask', { data: ['x'], reward: ['r'] }, '--output: expected a file'],
] as const)('%s with %j is refused', async (verb, flags, message) => {
  const { definition } = (await verbOptions[verb]()) as { definition: OptionsDefinition };
  expect(() => resolveOptions(definition, { flags })).toThrow(message);
});

test.each([
  [['data', 'settings', '--project', 'p', '--aspects', 'a=5-5'], 'most must be larger'],
  [['data', 'settings', '--project', 'q'], 'has no such project'],
  [['data', 'adjudicate', 'x', '--project', 'p', '--choice', 'left'], 'there is no task x'],
])('keel %j is refused', async (args, message) => {
  const ended = await keel(args, { env });
  expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(message)]);
});
