// keel data import, agreement and export on one store.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { PreferenceStore } from '@keel/studio';
import { expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const lines = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const rows = [
  {
    prompt: 'One?',
    response_1: 'yes',
    response_2: 'no, never',
    labels: { Ann: 1, Ben: 1, Cid: 2 },
  },
  { prompt: 'Two?', response_1: 'maybe', response_2: 'no', labels: { Ann: 2, Ben: 2, Cid: 2 } },
  { prompt: 'Three?', response_1: 'a', response_2: 'b', labels: { Ann: 0, Ben: 1, Cid: 0 } },
];

test('from votes to agreement, consensus and rows that train', async () => {
  using folder = new TemporaryFolder();
  const database = folder.file('store.sqlite');
  const env = { KEEL_DATABASE: database };
  const file = folder.file('votes.jsonl');
  writeFileSync(file, lines(rows));
  writeFileSync(folder.file('guide.md'), 'Prefer honest answers.');

  const imported = await keel(
    ['data', 'import', file, '--project', 'p', '--guidelines', folder.file('guide.md')],
    { env },
  );
  expect(imported.code, imported.stderr).toBe(0);
  expect(imported.stdout).toContain('3 new tasks, 0 known, 9 new verdicts');
  expect(imported.stdout).toContain('guidelines: version 1');
  expect(existsSync(database)).toBe(true);

  const consensus = folder.file('consensus.jsonl');
  const measured = await keel(
    ['data', 'agreement', '--project', 'p', '--consensus', consensus, '--json'],
    { env },
  );
  expect(measured.code, measured.stderr).toBe(0);
  const [report] = jsonLines(measured.stdout);
  expect(report).toMatchObject({
    tasks: 3,
    all: { verdicts: 9 },
    kinds: [{ kind: 'pair', units: 3, ratings: 9 }],
    consensus: { output: consensus },
  });
  expect(jsonLines(readFileSync(consensus, 'utf8'))).toHaveLength(3);

  // The same numbers from the file, without a store.
  const direct = await keel(['data', 'agreement', file, '--json'], { env });
  const [other] = jsonLines(direct.stdout) as [Record<string, unknown>];
  expect((other.kinds as { fleiss: unknown }[])[0]!.fleiss).toEqual(
    (report!.kinds as { fleiss: unknown }[])[0]!.fleiss,
  );

  const shown = await keel(['data', 'agreement', '--project', 'p'], { env });
  for (const text of ["Fleiss' kappa", "Krippendorff's alpha", 'Ann and Ben', 'as the others'])
    expect(shown.stdout).toContain(text);

  const output = folder.file('pairs.jsonl');
  const exported = await keel(
    ['data', 'export', '--project', 'p', '--labels', 'votes', '--output', output],
    { env },
  );
  expect(exported.code, exported.stderr).toBe(0);
  expect(exported.stdout).toContain('3 rows written');
  const checked = await keel(['data', 'check', output, '--for', 'dpo', '--json']);
  expect(checked.code, checked.stdout).toBe(0);
});

test('agreement names who always chooses a side, and only pairs have edits', async () => {
  using folder = new TemporaryFolder();
  const env = { KEEL_DATABASE: folder.file('store.sqlite') };
  const file = folder.file('battles.jsonl');
  const battle = (at: number, judge: string, winner: string) => ({
    ...{ model_a: 'one', model_b: 'two', winner, judge },
    conversation_a: [
      { role: 'user', content: `Question ${at}` },
      { role: 'assistant', content: 'a' },
    ],
    conversation_b: [
      { role: 'user', content: `Question ${at}` },
      { role: 'assistant', content: 'b' },
    ],
  });
  const all = Array.from({ length: 40 }, (_, at) => [
    battle(at, 'Ann', 'model_a'),
    battle(at, 'Ben', at % 2 === 0 ? 'model_a' : 'model_b'),
  ]);
  writeFileSync(file, lines(all.flat()));
  const imported = await keel(['data', 'import', file, '--project', 'p'], { env });
  expect(imported.code, imported.stderr).toBe(0);
  const shown = await keel(['data', 'agreement', '--project', 'p'], { env });
  expect(shown.stdout).toContain('Ann: always left (40 of 40 decided pairs (100%)');
  expect(shown.stdout).not.toContain('Ben: ');
  const measured = await keel(['data', 'agreement', '--project', 'p', '--json'], { env });
  const [report] = jsonLines(measured.stdout) as [{ quality: { person: string }[] }];
  expect(report.quality.map(({ person }) => person).sort()).toEqual(['Ann', 'Ben']);
  const output = folder.file('pairs.jsonl');
  const exported = ['data', 'export', '--project', 'p', '--edits', '--output', output];
  const ended = await keel(exported, { env });
  expect(ended.code, ended.stderr).toBe(0);
  const refused = await keel([...exported, '--to', 'kto', '--overwrite'], { env });
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--edits')]);
});

test('agreement says which verdicts may follow a suggestion, and can take those before it', async () => {
  using folder = new TemporaryFolder();
  const env = { KEEL_DATABASE: folder.file('store.sqlite') };
  {
    await using store = await PreferenceStore.open(env.KEEL_DATABASE);
    const project = await store.openProject('p');
    const answers = [{ content: 'yes' }, { content: 'no' }];
    const annotations = ['Ann', 'Ben'].map((person) => ({ person, choice: 'left' as const }));
    const input = { kind: 'pair' as const, prompt: 'One?', answers, annotations, shown: true };
    await store.addTasks(project, [input], { random: () => 0.99 });
    const [task] = (await store.taskList(project)).tasks;
    await store.noteSuggestionsShown(task!.id, 'Ann');
    await store.reopen(task!.id, 'Ann');
    await store.annotate(task!.id, 'Ann', { choice: 'tie' });
  }
  const measure = ['data', 'agreement', '--project', 'p'];
  const newest = await keel(measure, { env });
  expect(newest.code, newest.stderr).toBe(0);
  expect(newest.stdout).toContain(
    '1 verdict may have been given after a suggestion was shown (Ann 1)',
  );
  const before = await keel([...measure, '--independent'], { env });
  expect(before.stdout).toContain('1 pair: left 100%');
  expect(before.stdout).not.toContain('suggestion');
});

test.each([
  [['data', 'agreement'], 2, '--project'],
  [['data', 'agreement', 'x.jsonl', '--project', 'p'], 2, 'not both'],
  [['data', 'export', '--project', 'p', '--output', 'x.json'], 2, '.jsonl'],
  [['data', 'export', '--project', 'p', '--output', 'x.jsonl'], 2, 'keel data import'],
])('keel %j is refused', async (args, code, message) => {
  using folder = new TemporaryFolder();
  const ended = await keel(args, { env: { KEEL_DATABASE: folder.file('store.sqlite') } });
  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(message);
});
