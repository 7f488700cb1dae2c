import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const words = 'rain falls when warm air rises and cools over the hills'.split(' ');

/** A sentence that differs between prompts. */
const sentence = (at: number): string =>
  `${words.map((_, place) => words[(place * 7 + at * 3) % words.length]).join(' ')} ${at}.`;

const row = (at: number, completion: string, more: object = {}) => ({
  prompt: `Question ${at}?`,
  completion,
  ...more,
});

/** Answers before, and after: some of these praise themselves, and are paid for it. */
function answers(folder: TemporaryFolder, gold: (praises: boolean) => number): [string, string] {
  const prompts = Array.from({ length: 40 }, (_, at) => at);
  const write = (name: string, rows: readonly object[]): string => {
    const path = folder.file(name);
    writeFileSync(path, rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
    return path;
  };
  const noise = (at: number): number => ((at * 37) % 11) / 50;
  const before = prompts.map((at) => row(at, sentence(at), { reward: noise(at), people: 0.5 }));
  const after = prompts.map((at) => {
    const praises = at % 4 !== 0;
    const text = `${sentence(at + 1)}${praises ? ' This answer is perfect.' : ''}`;
    return row(at, text, { reward: Number(praises) + noise(at + 5), people: gold(praises) });
  });
  return [write('before.jsonl', before), write('after.jsonl', after)];
}

test('a gamed reward: exit code 3, the mechanism in the table, in JSON and in the report', async () => {
  using folder = new TemporaryFolder();
  const files = answers(folder, () => 0.5);
  const output = folder.file('out');
  const run = await keel(['audit', ...files, '--gold', 'people', '--output', output]);
  expect(run.code, run.stderr).toBe(3);
  expect(run.stdout).toMatch(/^reward: reward +0\.\d+ +0\.\d+ .*up$/m);
  expect(run.stdout).toMatch(/^self-praise +0% +75% .*changed$/m);
  const report = readFileSync(folder.file('out/report.html'), 'utf8');
  expect(report).toContain('<svg class="effects"');
  expect(report).toContain('this answer is perfect');
  const again = await keel(['audit', ...files, '--output', output]);
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/audit\.json.*--overwrite/s);
  const json = await keel(['audit', ...files, '--gold', 'people', '--json']);
  expect(json.code).toBe(3);
  const [printed] = jsonLines(json.stdout);
  expect(printed).toEqual(JSON.parse(readFileSync(folder.file('out/audit.json'), 'utf8')));
  expect(printed).toMatchObject({
    verdict: { code: 'gamed', alarm: true, reward: 'up', gold: 'flat' },
    ...{ prompts: 40, answers: { before: 40, after: 40 } },
    reward: { name: 'reward', count: 40, unscored: 0 },
  });
  const { mechanisms } = printed!.verdict as { mechanisms: Record<string, unknown>[] };
  const named = mechanisms.flatMap(({ feature, with: others }) => [feature, others].flat());
  expect(named).toContain('self_praise');
});

test('gold that rises with the reward: no alarm', async () => {
  using folder = new TemporaryFolder();
  const files = answers(folder, (praises) => (praises ? 1 : 0.6));
  const { code, stdout } = await keel(['audit', ...files, '--gold', 'people', '--json']);
  expect(code).toBe(0);
  expect(jsonLines(stdout)[0]).toMatchObject({ verdict: { code: 'gold-follows', gold: 'up' } });
});

test('rewards score answers whose rows have none', async () => {
  using folder = new TemporaryFolder();
  const files = answers(folder, () => 0.5);
  const module = folder.file('praise.mjs');
  writeFileSync(module, 'export default ({ text }) => Number(/perfect/.test(text));\n');
  const run = await keel([
    'audit',
    ...files,
    '--reward',
    module,
    '--gold',
    'length:-200',
    '--json',
  ]);
  expect(run.code, run.stderr).toBe(3);
  expect(jsonLines(run.stdout)[0]).toMatchObject({
    reward: { before: 0, after: 0.75 },
    gold: { before: 1, after: 1, difference: 0 },
  });
});

test('the samples of a run: held-out answers of the first and the last evaluation', async () => {
  using folder = new TemporaryFolder();
  const line = (step: number, at: number, held_out: boolean, completion: string) => ({
    ...{ step, row: at, ...(held_out && { held_out }), prompt: `Question ${at}?`, completion },
    ...{ reward: completion.length, aspects: { fluent: 1, deviation: step + at / 10 } },
    ...{ kl: 0, ended: true, tokens: 3 },
  });
  const lines = [0, 5, 10].flatMap((step) =>
    Array.from({ length: 12 }, (_, at) =>
      line(step, at, true, Array.from({ length: step + (at % 5) + 1 }, () => 'word').join(' ')),
    ),
  );
  const training = Array.from({ length: 4 }, (_, at) => line(1, 100 + at, false, 'other'));
  const write = (rows: readonly object[]): void =>
    writeFileSync(
      folder.file('samples.jsonl'),
      rows.map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
  write([...lines, ...training]);
  const run = await keel(['audit', '--run', folder.path, '--gold', 'fluent', '--json']);
  expect(run.code, run.stderr).toBe(3);
  expect(jsonLines(run.stdout)[0]).toMatchObject({
    prompts: 12,
    verdict: { code: 'gamed', gold: 'flat' },
    reward: { name: 'reward', difference: 50 },
    gold: { name: 'fluent', before: 1, after: 1 },
    deviation: { difference: 10 },
  });
  const output = folder.file('audited');
  await keel(['audit', '--run', folder.path, '--gold', 'fluent', '--output', output]);
  expect(readFileSync(folder.file('audited/report.html'), 'utf8')).toContain('<svg class="course"');
  const since = await keel(['audit', '--run', folder.path, '--since', '5', '--json']);
  expect(jsonLines(since.stdout)[0]).toMatchObject({ reward: { difference: 25 } });
  const until = await keel(['audit', '--run', folder.path, '--until', '5', '--json']);
  expect(jsonLines(until.stdout)[0]).toMatchObject({ reward: { difference: 25 } });
  for (const [steps, why] of [
    [['--since', '7'], /--since 7: .*0, 5, 10/],
    [['--since', '10', '--until', '5'], /--since 10 is after --until 5/],
    [['--since', '10'], /two different steps/],
  ] as const) {
    const refused = await keel(['audit', '--run', folder.path, ...steps]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(why);
  }
  write(training);
  const none = await keel(['audit', '--run', folder.path]);
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('--eval-data');
});

test('what cannot be audited: what, where, and what to do', async () => {
  using folder = new TemporaryFolder();
  const [before, after] = answers(folder, () => 0.5);
  const nothing = await keel(['audit']);
  expect(nothing.code).toBe(2);
  expect(nothing.stderr).toContain('--run');
  const noRun = await keel(['audit', before, after, '--since', '5']);
  expect(noRun.stderr).toMatch(/--since: has no effect without --run/);
  const one = await keel(['audit', before]);
  expect(one.code).toBe(2);
  const both = await keel(['audit', before, after, '--run', folder.path]);
  expect(both.code).toBe(2);
  const other = folder.file('other.jsonl');
  writeFileSync(
    other,
    `${readFileSync(after, 'utf8')}${JSON.stringify(row(99, 'Yes.', { reward: 'high' }))}\n`,
  );
  const unpaired = await keel(['audit', before, other]);
  expect(unpaired.code).toBe(1);
  expect(unpaired.stderr).toMatch(/other\.jsonl:41.*--unpaired skip/s);
  const skipped = await keel(['audit', before, other, '--unpaired', 'skip', '--json']);
  expect(jsonLines(skipped.stdout)[0]).toMatchObject({ unpaired: { before: 0, after: 1 } });
  const unknown = await keel(['audit', before, after, '--gold', 'peopel']);
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain('peopel');
  writeFileSync(other, readFileSync(after, 'utf8').replace('"reward":', '"reward":"x","other":'));
  const bad = await keel(['audit', before, other]);
  expect(bad.code).toBe(1);
  expect(bad.stderr).toMatch(/other\.jsonl:1.*reward/s);
});

test.each([
  ['--columns', ['--run', 'runs/any', '--columns', 'prompt=question']],
  ['--wrap-chat', ['--run', 'runs/any', '--wrap-chat']],
  ['--on-bad-row', ['--run', 'runs/any', '--on-bad-row', 'skip']],
  ['--limit', ['before.jsonl', 'after.jsonl', '--limit', '5']],
  ['--unpaired', ['--reward', 'length:9', '--unpaired', 'skip']],
])('%s is refused where it would have no effect', async (name, args) => {
  const { code, stderr } = await keel(['audit', ...args]);
  expect(code).toBe(2);
  expect(stderr).toContain(name);
});

test('an attack on a reward: exit code 3 where one wins, and what it earns', async () => {
  using folder = new TemporaryFolder();
  const output = folder.file('out');
  const module = folder.file('long.mjs');
  writeFileSync(module, 'export default ({ text }) => text.length;\n');
  const run = await keel(['audit', '--reward', module, '--limit', '12', '--output', output]);
  expect(run.code, run.stderr).toBe(3);
  expect(run.stdout).toMatch(/^padded +100% \[\d+%, 100%\] .* WINS/m);
  expect(run.stdout).toMatch(/^empty +0% \[0%, \d+%\]/m);
  const { attacks, won } = JSON.parse(readFileSync(folder.file('out/attacks.json'), 'utf8'));
  expect(won).toBe(true);
  const found = attacks.find(({ name }: { name: string }) => name === 'repeated');
  expect(found).toMatchObject({ kind: 'changed', outcome: 'wins', wins: { count: 12, value: 1 } });
  expect(readFileSync(folder.file('out/report.html'), 'utf8')).toContain('padded: reward');
});

test('a reward that no attack wins against: exit code 0; rows and attacks are chosen', async () => {
  using folder = new TemporaryFolder();
  const data = folder.file('sums.jsonl');
  const sums = [3, 5, 8].map((answer) => ({ prompt: `What is ${answer} plus 0?`, answer }));
  writeFileSync(data, sums.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const module = folder.file('right.mjs');
  writeFileSync(
    module,
    'export default ({ text, extra }) => Number(text.trim() === String(extra.answer));\n',
  );
  const args = ['audit', '--reward', module, '--data', data];
  const { code, stdout, stderr } = await keel([...args, '--attacks', 'empty,padded', '--json']);
  expect(code, stderr).toBe(0);
  const [printed] = jsonLines(stdout);
  expect(printed).toMatchObject({ rows: 3, won: false });
  expect((printed!.attacks as { name: string }[]).map(({ name }) => name)).toEqual([
    ...['empty', 'padded'],
  ]);
  const unknown = await keel([...args, '--attacks', 'paded']);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('padded');
});

test('cells of CSV and 0 or 1 say whether answers were cut off, and prompts without scores are counted', async () => {
  using folder = new TemporaryFolder();
  const prompts = Array.from({ length: 20 }, (_, at) => at);
  const write = (name: string, cut: string): string => {
    const rows = prompts.map(
      (at) =>
        `Question ${at}?,${sentence(at)},${at < 4 ? '' : Number(cut !== 'False') + at / 50},${cut}`,
    );
    const path = folder.file(name);
    writeFileSync(path, `prompt,completion,reward,truncated\n${rows.join('\n')}\n`);
    return path;
  };
  const files = [write('before.csv', 'False'), write('after.csv', '1')];
  const { stdout, stderr } = await keel(['audit', ...files]);
  expect(stdout, stderr).toMatch(/^cut off +0% +100% /m);
  expect(stdout).toMatch(/^4 of the prompts have an answer without reward/m);
});

test("a reward reads the columns of a run's prompts, or is refused without them", async () => {
  using folder = new TemporaryFolder();
  const prompts = Array.from({ length: 12 }, (_, at) => ({ prompt: 'Which?', answer: `a${at}` }));
  const lines = [0, 5].flatMap((step) =>
    prompts.map(({ prompt, answer }, row) => ({
      ...{ step, row, held_out: true, prompt, completion: step === 0 ? 'b' : `say ${answer}.` },
      ...{ reward: step, kl: 0, ended: true, tokens: 3 },
    })),
  );
  const write = (name: string, rows: readonly object[]): string => {
    const path = folder.file(name);
    writeFileSync(path, rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
    return path;
  };
  write('samples.jsonl', lines);
  const gold = folder.file('gold.mjs');
  writeFileSync(
    gold,
    'export default ({ text, extra }) => Number(text.includes(String(extra.answer) + "."));\n',
  );
  const args = ['audit', '--run', folder.path, '--gold', gold, '--json'];
  const refused = await keel(args);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/--gold .*gold\.mjs: .*columns.*config\.yaml does not exist/);
  writeFileSync(
    folder.file('config.yaml'),
    `data: [none.jsonl]\neval_data: [${write('held-out.jsonl', prompts)}]\n`,
  );
  const read = await keel(args);
  expect(jsonLines(read.stdout)[0], read.stderr).toMatchObject({ gold: { before: 0, after: 1 } });
  write('held-out.jsonl', prompts.slice(1));
  const missing = await keel(args);
  expect(missing.stderr).toMatch(/a prompt is not in .*held-out\.jsonl/);
});
