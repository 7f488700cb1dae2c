// From files to the store, and from the store to files that come back the same.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ExportOptions, exportProject } from '../exporting/export-project.ts';
import type { StoredTask } from '../store/items.ts';
import { PreferenceStore } from '../store/preference-store.ts';
import { type ImportOptions, importFiles } from './import-files.ts';

let folder: string;
let store: PreferenceStore;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-import-'));
});
beforeEach(async () => {
  store = await PreferenceStore.open(':memory:');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function fileOf(rows: readonly unknown[], ending = 'jsonl'): string {
  const path = join(folder, `${++files}.${ending}`);
  const text =
    ending === 'json'
      ? JSON.stringify(rows)
      : rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(path, text);
  return path;
}

const read = (file: string, options: Partial<ImportOptions> = {}) =>
  importFiles(store, {
    ...{ files: [file], from: 'auto', columns: null, onBadRow: 'fail', person: 'file' },
    ...{ question: null, score: null, project: 'p', overlap: 1, gold: false, seed: 1 },
    guidelines: null,
    ...options,
  });

async function tasksOf(project = 'p'): Promise<StoredTask[]> {
  return Array.fromAsync(store.tasks(await store.project(project)));
}

async function write(options: Partial<ExportOptions> & Pick<ExportOptions, 'to'>) {
  const tool = options.to === 'argilla' || options.to === 'label-studio';
  const output = join(folder, `${++files}.${tool ? 'json' : 'jsonl'}`);
  const given = { project: 'p', labels: 'majority' as const, overwrite: false, minVotes: 0 };
  const summary = await exportProject(store, { ...given, output, ...options });
  const text = readFileSync(output, 'utf8');
  const rows = tool
    ? JSON.parse(text)
    : text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
  return { output, rows: rows as Record<string, unknown>[], summary };
}

/** Verdicts by person, as the texts of the answers, so that the order does not matter. */
function saidOf({ answers, annotations }: StoredTask) {
  const text = (at: number): unknown => answers[at]!.content;
  return annotations.map(({ person, choice, ranks, strength, comment }) => ({
    person,
    said: choice === 'left' ? text(0) : choice === 'right' ? text(1) : choice,
    ...(ranks !== null && { ranked: answers.map((_, at) => [text(at), ranks[at]]).sort() }),
    ...{ strength, comment },
  }));
}

const asked = (content: string) => [{ role: 'user', content }];
const says = (content: string) => [{ role: 'assistant', content }];

describe('import', () => {
  it.each([
    [
      'keel',
      { prompt: 'Q', chosen: 'good', rejected: 'bad', margin: 2, topic: 'x' },
      { kind: 'pair', said: [{ person: 'file', said: 'good', strength: 2 }] },
    ],
    [
      'keel',
      { prompt: 'Q', chosen: 'good', rejected: 'bad', label_probability: 0.3 },
      { kind: 'pair', said: [{ person: 'file', said: 'bad' }] },
    ],
    [
      'hh',
      {
        chosen: '\n\nHuman: Q?\n\nAssistant: Yes.',
        rejected: '\n\nHuman: Q?\n\nAssistant: No.',
      },
      { kind: 'pair', said: [{ person: 'file', said: says('Yes.') }] },
    ],
    [
      'keel',
      { prompt: 'Q', completions: ['a', 'b', 'c'], ranking: [2, 1, 3] },
      {
        kind: 'ranking',
        said: [
          {
            said: 'ranked',
            ranked: [
              ['a', 2],
              ['b', 1],
              ['c', 3],
            ],
          },
        ],
      },
    ],
    [
      'keel',
      { prompt: 'Q', completion: 'a', label: false },
      { kind: 'thumb', said: [{ person: 'file', said: 'down' }] },
    ],
    [
      'human-votes',
      { prompt: 'Q', response_1: 'a', response_2: 'b', labels: { Ann: 2, Ben: 2, Cid: 0 } },
      {
        kind: 'pair',
        said: [
          { person: 'Ann', said: says('b') },
          { person: 'Ben', said: says('b') },
          { person: 'Cid', said: 'tie' },
        ],
      },
    ],
    ['samples', { prompt: 'Q', completions: ['a', 'b'] }, { kind: 'pair', said: [] }],
    ['samples', { prompt: 'Q', completions: ['a', 'b', 'c'] }, { kind: 'ranking', said: [] }],
    [
      'battles',
      {
        ...{ model_a: 'one', model_b: 'two', winner: 'tie (bothbad)', judge: 'arena_user_1' },
        conversation_a: [...asked('Q'), ...says('a'), ...asked('More'), ...says('aa')],
        conversation_b: [...asked('Q'), ...says('b'), ...asked('More'), ...says('bb')],
      },
      { kind: 'pair', said: [{ person: 'arena_user_1', said: 'both_bad' }] },
    ],
    [
      'battles',
      {
        ...{ model_a: 'one', model_b: 'two', prompt: '["Q"]' },
        ...{ response_a: '["a"]', response_b: '["b"]' },
        ...{ winner_model_a: 0, winner_model_b: 1, winner_tie: 0 },
      },
      { kind: 'pair', said: [{ said: says('b') }] },
    ],
    [
      'label-studio',
      {
        id: 3,
        data: { prompt: 'Q', answer1: 'a', answer2: 'b' },
        annotations: [
          {
            completed_by: 7,
            result: [{ type: 'pairwise', from_name: 'c', value: { selected: 'right' } }],
            was_cancelled: false,
            lead_time: 4.25,
          },
          { completed_by: { id: 8, email: 'ann@x.org' }, result: [], was_cancelled: true },
        ],
      },
      {
        kind: 'pair',
        said: [
          { person: '7', said: 'b' },
          { person: 'ann@x.org', said: null },
        ],
      },
    ],
    [
      'label-studio',
      {
        data: {
          prompt: 'Q',
          items: [
            { id: 'x', title: '1', body: 'a' },
            { id: 'y', title: '2', body: 'b' },
            { id: 'z', title: '3', body: 'c' },
          ],
        },
        annotations: [
          {
            completed_by: 1,
            result: [{ type: 'ranker', value: { ranker: { rank: ['z', 'x', 'y'] } } }],
          },
        ],
      },
      {
        kind: 'ranking',
        said: [
          {
            person: '1',
            ranked: [
              ['a', 2],
              ['b', 3],
              ['c', 1],
            ],
          },
        ],
      },
    ],
    [
      'label-studio-min',
      {
        ...{ id: 1, prompt: 'Q', answer1: 'a', answer2: 'b', comparison: 'left', annotator: 5 },
        ...{ annotation_id: 9, lead_time: 2 },
      },
      { kind: 'pair', said: [{ person: '5', said: 'a' }] },
    ],
    [
      'argilla',
      {
        id: 'r',
        fields: { prompt: 'Q', 'response-1': 'a', 'response-2': 'b' },
        responses: {
          preference: [
            { value: 'response-2', user_id: 'u1', status: 'submitted' },
            { value: 'response-1', user_id: 'u2', status: 'draft' },
            { value: null, user_id: 'u3', status: 'discarded' },
          ],
          comment: [{ value: 'Clearer', user_id: 'u1' }],
        },
        suggestions: {},
        metadata: { split: 'a' },
      },
      {
        kind: 'pair',
        said: [
          { person: 'u1', said: 'b', comment: 'Clearer' },
          { person: 'u3', said: null },
        ],
      },
    ],
    [
      'argilla',
      {
        fields: { instruction: 'Q', response_a: 'a', response_b: 'b', response_c: 'c' },
        responses: {
          rank: [
            {
              value: [
                { value: 'response_b', rank: 1 },
                { value: 'response_a', rank: 2 },
                { value: 'response_c', rank: 2 },
              ],
              user_id: 'u1',
            },
          ],
        },
      },
      {
        kind: 'ranking',
        said: [
          {
            person: 'u1',
            ranked: [
              ['a', 2],
              ['b', 1],
              ['c', 2],
            ],
          },
        ],
      },
    ],
  ])('reads %s rows, case %#', async (format, row, expected) => {
    const ending = format.startsWith('label') || format === 'argilla' ? 'json' : 'jsonl';
    const summary = await read(fileOf([row], ending));
    expect(Object.keys(summary.formats)).toEqual([format]);
    const [task] = await tasksOf();
    expect({ kind: task!.kind, said: saidOf(task!) }).toMatchObject(expected);
    // The same file again changes nothing.
    expect(await read(fileOf([row], ending))).toMatchObject({ tasks: 0, annotations: 0 });
  });

  it('keeps the side that people saw, times and models', async () => {
    const row = {
      ...{ model_a: 'one', model_b: 'two', winner: 'model_b', answer_a: 'a', answer_b: 'b' },
      prompt: 'Q',
    };
    await read(fileOf([row]));
    const [task] = await tasksOf();
    expect(task!.answers.map(({ model }) => model)).toEqual(['one', 'two']);
    expect(task!.annotations).toMatchObject([{ choice: 'right', order: [0, 1] }]);
  });

  it('draws the side of pairs whose order says who won', async () => {
    const rows = Array.from({ length: 200 }, (_, at) => ({
      ...{ prompt: `Q${at}`, chosen: 'good', rejected: 'bad' },
    }));
    await read(fileOf(rows));
    const left = (await tasksOf()).filter(({ answers }) => answers[0]!.content === 'good');
    expect(left.length).toBeGreaterThan(70);
    expect(left.length).toBeLessThan(130);
    for (const { annotations, answers } of left)
      expect([annotations[0]!.choice, answers[0]!.content]).toEqual(['left', 'good']);
  });

  it('makes gold of verdicts, and votes of none', async () => {
    await read(fileOf([{ prompt: 'Q', chosen: 'a', rejected: 'b' }]), { gold: true });
    const [task] = await tasksOf();
    expect(task!.annotations).toEqual([]);
    expect(task!.answers[task!.gold!.choice === 'left' ? 0 : 1]!.content).toBe('a');
  });

  it('reads the ground truth of Label Studio as gold', async () => {
    const result = [{ type: 'pairwise', value: { selected: 'left' } }];
    const data = { prompt: 'Q', answer1: 'a', answer2: 'b' };
    const row = { data, annotations: [{ completed_by: 1, result, ground_truth: true }] };
    await read(fileOf([row], 'json'));
    const [task] = await tasksOf();
    expect([task!.gold, task!.annotations]).toEqual([{ choice: 'left', ranks: null }, []]);
  });

  it('reads stars of Label Studio as strength, and no other number', async () => {
    const named = (type: string, from_name: string, value: object) => ({ type, from_name, value });
    const resultOf = (...others: object[]) => [
      named('pairwise', 'c', { selected: 'left' }),
      ...others,
    ];
    const row = (prompt: string, result: object[]) => ({
      data: { prompt, answer1: 'a', answer2: 'b' },
      annotations: [{ completed_by: 1, result }],
    });
    const file = fileOf(
      [
        row('1', resultOf(named('number', 'age', { number: 42 }))),
        row('2', resultOf(named('rating', 'sure', { rating: 3 }))),
        row('3', resultOf(named('textarea', 'reason-answer1', { text: ['Because'] }))),
        row('4', resultOf(named('number', 'strength', { number: 2 }))),
      ],
      'json',
    );
    const { dropped } = await read(file);
    expect(
      (await tasksOf()).map(({ annotations: [one] }) => [one!.strength, one!.comment]),
    ).toEqual([
      [null, null],
      [3, null],
      [null, 'Because'],
      [2, null],
    ]);
    expect(JSON.stringify(dropped)).toContain('age');
  });

  it('reads a question of Argilla that is named, also where its name is that of a part', async () => {
    const fields = { prompt: 'Q', 'answer-1': 'a', 'answer-2': 'b' };
    const comment = [{ value: 'answer-2', user_id: 'Ann', status: 'submitted' }];
    const file = fileOf([{ fields, responses: { comment } }]);
    await read(file, { question: 'comment' });
    const [task] = await tasksOf();
    expect(saidOf(task!)).toMatchObject([{ person: 'Ann', said: 'b' }]);
    expect(task!.annotations[0]!.comment).toBe(null);
  });

  it('counts bad rows, or writes nothing', async () => {
    const good = { prompt: 'Q', chosen: 'a', rejected: 'b' };
    const file = fileOf([good, { prompt: 'Q', chosen: 'a', rejected: 'a' }]);
    await expect(read(file)).rejects.toThrow(/jsonl:2/);
    expect(await store.projects()).toEqual([]);
    expect(await read(file, { onBadRow: 'skip' })).toMatchObject({ tasks: 1, badRows: 1 });
  });

  it.each([
    [{ prompt: 'Q', messages: [...asked('Q'), ...says('a')] }, /answers to compare/],
    [{ model_a: 'a', model_b: 'b', winner: 'model_a' }, /keel rate/],
    [{ data: { prompt: 'Q', x: 'a' }, annotations: [] }, /data.*fields prompt, x/],
    [
      { data: { prompt: 'Q', answer1: 'a', answer2: 'b' }, annotations: [{ result: [] }] },
      /annotations\[0\]\.result.*verdict/,
    ],
    [
      {
        fields: { prompt: 'Q', answer1: 'a', answer2: 'b' },
        responses: { one: [{ value: 'answer1' }], two: [{ value: 'answer2' }] },
      },
      /one and two.*--question/,
    ],
    [{ strange: 1 }, /argilla.*strange/],
  ])('refuses %j', async (row, message) => {
    await expect(read(fileOf([row]))).rejects.toThrow(message);
  });

  it('takes priorities of rows, by column and by what keel ask wrote, also for known tasks', async () => {
    const row = (prompt: string, more: object) => ({ prompt, completions: ['a', 'b'], ...more });
    const ask = { why: 'disagreement', disagreement: 0.4, probability: 0.5 };
    await read(
      fileOf([
        row('judged', { priority: 2, priority_source: 'judges' }),
        row('asked', { ask }),
        row('random', { ask: { ...ask, why: 'random' } }),
        row('worded', { priority: 'high' }),
      ]),
    );
    const listed = async () =>
      (await store.taskList(await store.project('p'))).tasks.map(
        ({ prompt, priority, prioritySource }) => [prompt, priority, prioritySource],
      );
    expect(await listed()).toEqual([
      ['judged', 2, 'judges'],
      ['asked', 0.4, "reward model's disagreement"],
      ['random', 0, null],
      ['worded', 0, null],
    ]);
    const [judged, asked, , worded] = await tasksOf();
    expect([judged!.columns, asked!.columns, worded!.columns]).toEqual([
      ...[{}, { ask }, { priority: 'high' }],
    ]);
    expect(await read(fileOf([row('random', { priority: 7 })]))).toMatchObject({ known: 1 });
    expect((await listed())[2]).toEqual(['random', 7, 'file']);
  });

  it('saves guidelines', async () => {
    const file = fileOf([{ prompt: 'Q', completions: ['a', 'b'] }]);
    expect(await read(file, { guidelines: 'Be kind.', overlap: 3 })).toMatchObject({
      guidelines: 1,
    });
    expect((await tasksOf())[0]!.overlap).toBe(3);
  });
});

/** A project with each kind of task and verdict. */
async function fill(): Promise<void> {
  const project = await store.openProject('p');
  await store.addTasks(
    project,
    [
      {
        kind: 'pair',
        prompt: asked('Q1'),
        answers: [{ content: says('a'), model: 'one' }, { content: says('b') }],
        columns: { topic: 'x' },
        annotations: [
          { person: 'Ann', choice: 'left', strength: 3, seconds: 2.5 },
          { person: 'Ben', choice: 'left', strength: 1, comment: 'Clearer' },
          { person: 'Cid', choice: 'right', strength: 1 },
          { person: 'Dee', choice: null },
        ],
        gold: { choice: 'left' },
      },
      {
        kind: 'pair',
        prompt: 'Q2',
        answers: [{ content: 'c' }, { content: 'd' }],
        annotations: [
          { person: 'Ann', choice: 'both_bad' },
          { person: 'Ben', choice: 'both_bad' },
          { person: 'Cid', choice: 'right' },
        ],
      },
      {
        kind: 'ranking',
        prompt: 'Q3',
        answers: [{ content: 'e' }, { content: 'f' }, { content: 'g' }],
        annotations: [
          { person: 'Ann', choice: 'ranked', ranks: [2, 1, 2] },
          { person: 'Ben', choice: 'ranked', ranks: [3, 1, 2] },
        ],
      },
      {
        kind: 'thumb',
        prompt: 'Q4',
        answers: [{ content: 'h' }],
        annotations: [
          { person: 'Ann', choice: 'up' },
          { person: 'Ben', choice: 'up' },
          { person: 'Cid', choice: 'down' },
        ],
      },
      { kind: 'thumb', prompt: 'Q5', answers: [{ content: 'i' }], annotations: [] },
    ],
    { overlap: 3, random: () => 0 },
  );
}

/** Tasks with edits, ratings by aspect, and verdicts that settle them. */
async function fillParts(rating = 5): Promise<void> {
  const project = await store.openProject('parts');
  const aspect = (key: string, least: number) => ({ key, label: key, least, most: 20 });
  await store.saveSettings(project, { aspects: [aspect('helpful', 1), aspect('risky', 0)] });
  await store.addTasks(
    project,
    [
      {
        kind: 'pair',
        prompt: 'Q1',
        answers: [{ content: 'good' }, { content: 'bad' }],
        annotations: [
          {
            ...{ person: 'Ann', choice: 'left', strength: 2 },
            ratings: { helpful: [rating, 1], risky: [0, null] },
            edit: { answer: 0, text: 'better' },
          },
          { person: 'Ben', choice: 'tie', edit: { answer: null, text: 'from nothing' } },
        ],
        adjudication: {
          ...{ person: 'Eve', choice: 'right', strength: 1, comment: 'Read again' },
          ...{ ratings: { helpful: [1, 4] }, edit: { answer: 1, text: 'best' } },
        },
      },
      {
        kind: 'ranking',
        prompt: 'Q2',
        answers: [{ content: 'a' }, { content: 'b' }, { content: 'c' }],
        annotations: [
          {
            ...{ person: 'Ann', choice: 'ranked', ranks: [1, 2, 3] },
            ...{ ratings: { helpful: [4, 3, 2] }, edit: { answer: 2, text: 'd' } },
          },
        ],
        adjudication: { person: 'Eve', choice: 'ranked', ranks: [2, 1, 3] },
      },
    ],
    { overlap: 1, random: () => 0 },
  );
}

type Parts = Pick<StoredTask['annotations'][number], 'choice' | 'ranks' | 'ratings' | 'edit'> & {
  person: string;
};

/** A verdict by the texts of the answers, so that their order does not matter. */
function partsBy({ answers }: StoredTask, { person, choice, ranks, ratings, edit }: Parts) {
  const text = (at: number): unknown => answers[at]!.content;
  const said = choice === 'left' ? text(0) : choice === 'right' ? text(1) : choice;
  const byText = (list: readonly unknown[]) =>
    Object.fromEntries(list.map((value, at) => [text(at), value]));
  return {
    ...{ person, said, ranks: ranks && byText(ranks) },
    ratings: Object.entries(ratings ?? {}).map(([key, list]) => [key, byText(list)]),
    edit: edit && [edit.answer === null ? null : text(edit.answer), edit.text],
  };
}
const partsOf = (task: StoredTask) => task.annotations.map((one) => partsBy(task, one));
const settledOf = (task: StoredTask) => {
  const { adjudication } = task;
  const { strength, comment } = adjudication!;
  return { ...partsBy(task, adjudication!), strength, comment };
};

describe('empty answers', () => {
  const empties: [string, Record<string, unknown>[]][] = [
    [
      'human-votes',
      [{ prompt: 'Q', response_1: '', response_2: 'text', labels: { Ann: 2, Ben: 2 } }],
    ],
    ['keel', [{ prompt: 'Q', chosen: 'text', rejected: '' }]],
    ['keel', [{ prompt: asked('Q'), chosen: says('text'), rejected: says('') }]],
    ['keel', [{ prompt: 'Q', completions: ['', 'text', 'more'], ranking: [3, 1, 2] }]],
    ['keel', [{ prompt: 'Q', completion: '', label: false }]],
    ['samples', [{ prompt: 'Q', completions: ['text', ''] }]],
    [
      'battles',
      [
        {
          model_a: 'm',
          model_b: 'n',
          winner: 'model_b',
          prompt: 'Q',
          answer_a: '',
          answer_b: 'text',
        },
      ],
    ],
    [
      'argilla',
      [
        {
          fields: { prompt: 'Q', 'response-1': '', 'response-2': 'text' },
          responses: { preference: [{ value: 'response-2', user_id: 'Ann' }] },
        },
      ],
    ],
    [
      'label-studio',
      [
        {
          data: { prompt: 'Q', answer1: '', answer2: 'text' },
          annotations: [
            { completed_by: 'Ann', result: [{ type: 'pairwise', value: { selected: 'right' } }] },
          ],
        },
      ],
    ],
  ];
  it.each(empties)('of %s are judged as what they are', async (_, rows) => {
    await read(fileOf(rows));
    const [task] = await tasksOf();
    const contents = task!.answers.map(({ content }) => content);
    expect(
      contents.some((one) => one === '' || JSON.stringify(one) === JSON.stringify(says(''))),
    ).toBe(true);
    expect(JSON.stringify(task)).not.toContain('\u{10fffe}');
    for (const { choice, ranks } of task!.annotations) {
      const best = choice === 'left' ? 0 : choice === 'right' ? 1 : (ranks?.indexOf(1) ?? -1);
      if (best >= 0) expect(JSON.stringify(contents[best])).toContain('text');
    }
  });

  it('are in no row for training, with the reason', async () => {
    const row = (at: number, chosen: string) => ({ prompt: `Q${at}`, chosen, rejected: 'x' });
    await read(fileOf([row(1, ''), row(2, 'good')]));
    for (const to of ['pairs', 'kto', 'rankings'] as const) {
      const { rows, summary } = await write({ to });
      expect(JSON.stringify(rows)).not.toContain('Q1');
      expect(summary.skipped).toEqual({ 'an answer is empty: training needs some text': 1 });
    }
    const { output } = await write({ to: 'argilla' });
    expect(await read(output)).toMatchObject({ tasks: 0, known: 2, annotations: 0 });
  });
});

describe('export', () => {
  beforeEach(fill);

  it('writes pairs with margins', async () => {
    const { rows, summary } = await write({ to: 'pairs' });
    expect(rows).toEqual([
      {
        ...{ topic: 'x', prompt: asked('Q1'), chosen: says('a'), rejected: says('b'), margin: 1 },
        ...{ model_chosen: 'one', model_rejected: null },
        votes: { chosen: 2, rejected: 1, ties: 0 },
      },
    ]);
    expect(Object.values(summary.skipped)).toEqual([1, 1, 2]);
  });

  it('writes pairs with probabilities', async () => {
    const { rows } = await write({ to: 'pairs', labels: 'votes' });
    expect(rows).toMatchObject([
      { chosen: says('a'), label_probability: 2 / 3 },
      { chosen: 'd', rejected: 'c', label_probability: 2 / 3 },
    ]);
    expect(rows[0]).not.toHaveProperty('margin');
  });

  it('writes rankings by the mean rank', async () => {
    const { rows } = await write({ to: 'rankings' });
    const ranked = rows.map(({ completions, ranking }) =>
      (completions as string[]).map((one, at) => [one, (ranking as number[])[at]]).sort(),
    );
    expect(ranked).toEqual([
      [
        [says('a'), 1],
        [says('b'), 2],
      ],
      [
        ['e', 3],
        ['f', 1],
        ['g', 2],
      ],
    ]);
  });

  it('writes thumbs, of pairs too', async () => {
    const { rows } = await write({ to: 'kto' });
    const labels = rows.map(({ completion, label }) => [completion, label]);
    expect(labels).toHaveLength(5);
    for (const one of [
      [says('a'), true],
      [says('b'), false],
      ['c', false],
      ['d', false],
      ['h', true],
    ])
      expect(labels).toContainEqual(one);
    const soft = await write({ to: 'kto', labels: 'votes' });
    expect(soft.rows.find(({ completion }) => completion === 'h')).toMatchObject({
      label_probability: 2 / 3,
    });
  });

  it('skips tasks with too few verdicts', async () => {
    const { summary } = await write({ to: 'argilla', minVotes: 3 });
    expect(summary).toMatchObject({
      tasks: 5,
      written: 3,
      skipped: { 'fewer than 3 verdicts': 2 },
    });
  });

  it.each(['argilla', 'label-studio'] as const)('to %s comes back the same', async (to) => {
    const before = await tasksOf();
    const { output } = await write({ to });
    // Into the same project: nothing is new.
    expect(await read(output)).toMatchObject({ tasks: 0, known: 5, annotations: 0 });
    // Into another one: the same tasks and verdicts.
    await read(output, { project: 'other' });
    const after = await tasksOf('other');
    expect(after.map(({ kind, prompt, columns }) => ({ kind, prompt, columns }))).toEqual(
      before.map(({ kind, prompt, columns }) => ({ kind, prompt, columns })),
    );
    expect(after.map(saidOf)).toEqual(before.map(saidOf));
    const times = (tasks: StoredTask[]) =>
      tasks.flatMap(({ annotations }) => annotations.map(({ seconds }) => seconds));
    if (to === 'label-studio') {
      expect(times(after)).toEqual(times(before));
      expect(after[0]!.answers[after[0]!.gold!.choice === 'left' ? 0 : 1]!.content).toEqual(
        says('a'),
      );
    }
  });

  it.each([
    'argilla',
    'label-studio',
  ] as const)('to %s has edits, ratings and what settled a task', async (to) => {
    await fillParts();
    const { output, rows } = await write({ to, project: 'parts' });
    expect(await read(output, { project: 'parts' })).toMatchObject({
      ...{ tasks: 0, known: 2, annotations: 0, adjudications: 0 },
    });
    const imported = await read(output, { project: 'other' });
    expect(imported).toMatchObject({ tasks: 2, annotations: 3, adjudications: 2, gold: 0 });
    const [before, after] = [await tasksOf('parts'), await tasksOf('other')];
    expect(after.map(partsOf)).toEqual(before.map(partsOf));
    expect(after.map(settledOf)).toEqual(before.map(settledOf));
    // Somebody changes a rating in the tool.
    const changed = JSON.parse(
      JSON.stringify(rows).replace('"value":5', '"value":2').replace('"rating":5', '"rating":2'),
    );
    expect(await read(fileOf(changed, 'json'), { project: 'parts' })).toMatchObject({
      ...{ annotations: 1, adjudications: 0 },
    });
  });

  it('names the parts of a verdict as a labelling config of Label Studio can', async () => {
    await fillParts();
    const { rows } = await write({ to: 'label-studio', project: 'parts' });
    const results = (rows as { annotations: { result: Record<string, unknown>[] }[] }[]).map(
      ({ annotations }) => annotations.map(({ result }) => result),
    );
    // The order of a pair's answers was drawn.
    const [pair] = await tasksOf('parts');
    const place = pair!.answers.findIndex(({ content }) => content === 'good');
    const name = `answer${place + 1}`;
    expect(results[0]![0]).toEqual(
      expect.arrayContaining([
        {
          ...{ type: 'rating', from_name: `helpful-${name}`, to_name: name },
          value: { rating: 5 },
        },
        {
          ...{ type: 'number', from_name: `risky-${name}`, to_name: name },
          value: { number: 0 },
        },
        {
          ...{ type: 'textarea', from_name: `edit-${name}`, to_name: name },
          value: { text: ['better'] },
        },
      ]),
    );
    expect(results[0]![1]).toContainEqual({
      ...{ type: 'textarea', from_name: 'edit', to_name: 'prompt' },
      value: { text: ['from nothing'] },
    });
    expect(results[0]!.at(-1)).toContainEqual(
      expect.objectContaining({ type: 'choices', from_name: 'settled' }),
    );
    for (const { to_name, type } of results[1]!.flat())
      expect(to_name).toBe(type === 'ranker' ? 'answers' : 'prompt');
  });

  it('counts ratings that Argilla cannot have', async () => {
    await fillParts(11);
    const { summary } = await write({ to: 'argilla', project: 'parts' });
    expect(Object.entries(summary.skipped)).toEqual([
      [expect.stringMatching(/from 0 to 10.*Argilla/), 1],
    ]);
    expect(summary.written).toBe(2);
  });

  it('reads them from JSON-MIN too', async () => {
    const file = fileOf([
      {
        ...{ id: 1, annotation_id: 3, annotator: 'Ann', lead_time: 4 },
        ...{ prompt: 'Q', answer1: 'a', answer2: 'b', comparison: 'left', topic: 'x' },
        ...{ 'helpful-answer1': 4, 'helpful-answer2': 1, 'edit-answer2': 'c', comment: 'Yes' },
      },
      {
        ...{ id: 1, annotation_id: 4, annotator: 'Eve', prompt: 'Q', answer1: 'a', answer2: 'b' },
        ...{ comparison: 'right', settled: 'settled', strength: 2, topic: 'x' },
      },
    ]);
    await read(file, { project: 'min' });
    const [task] = await tasksOf('min');
    expect(task).toMatchObject({
      columns: { topic: 'x' },
      annotations: [
        {
          ...{ person: 'Ann', choice: 'left', ratings: { helpful: [4, 1] }, comment: 'Yes' },
          edit: { answer: 1, text: 'c' },
        },
      ],
      adjudication: { person: 'Eve', choice: 'right', strength: 2 },
    });
  });

  it.each([
    ['pairs', 1],
    ['rankings', 2],
  ] as const)('to %s comes back with the same label', async (to, count) => {
    const { output, rows } = await write({ to });
    await read(output, { project: 'other' });
    const again = await write({ to, project: 'other' });
    expect(again.rows).toHaveLength(count);
    const plain = (row: Record<string, unknown>) => {
      const { votes: _, completions, ranking, ...rest } = row;
      const order = (completions as unknown[] | undefined)?.map((one, at) => [
        JSON.stringify(one),
        (ranking as number[])[at],
      ]);
      const { models: __, ...own } = rest;
      return { ...own, ...(order && { order: order.sort() }) };
    };
    expect(again.rows.map(plain)).toEqual(rows.map(plain));
  });

  it('refuses another ending, an existing file and a project without labels', async () => {
    const options = { project: 'p', labels: 'majority', overwrite: false, minVotes: 0 } as const;
    const output = join(folder, 'x.json');
    await expect(exportProject(store, { ...options, to: 'pairs', output })).rejects.toThrow(
      /\.jsonl/,
    );
    const existing = fileOf([]);
    await expect(
      exportProject(store, { ...options, to: 'pairs', output: existing }),
    ).rejects.toThrow(/--overwrite/);
    await store.openProject('empty');
    const none = { ...options, project: 'empty', output: join(folder, 'none.jsonl') };
    await expect(exportProject(store, { ...none, to: 'pairs' })).rejects.toThrow(/no tasks/);
  });
});
