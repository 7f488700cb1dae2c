// `keel evaluate --run`: a run before and after, by judges, rewards and log-probabilities.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { shortRun, tinyChat, trajectoryRows } from '../testing/short-runs.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const env = { KEEL_CACHE: folder.file('cache') };

interface Summary {
  entries: { name: string; tasks: Record<string, TaskSummary>; differences: Difference[] }[];
}
interface TaskSummary {
  rows: number;
  skipped: number;
  metrics: Record<string, { value: number; count: number }>;
}
interface Difference {
  task: string;
  metric: string;
  value: number;
}

const pairs = jsonLines(readFileSync(trajectoryRows('dpo-sigmoid'), 'utf8'));
const write = (name: string, rows: readonly object[]): void =>
  writeFileSync(folder.file(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

/** The longer answer wins; asked about anything but a chat, it has no verdict. */
const judge = `export const compare = (prompt, a, b, { prompt: asked }) =>
  Array.isArray(asked) && asked.at(-1).role === 'user' ? (Math.sign(a.length - b.length) + 1) / 2 : null;
`;

const suite = `tasks:
  - {name: longer, type: win-rate, data: prompts.jsonl, judge: judge.ts, max_new_tokens: 6}
  - {name: rewarded, type: win-rate, data: prompts.jsonl, judge: "reward:reward", max_new_tokens: 6}
  - {name: reward, type: preference-accuracy, data: pairs.jsonl, reward: reward}
  - {name: likelihood, type: preference-accuracy, data: pairs.jsonl, by: likelihood}
  - {name: implicit, type: preference-accuracy, data: pairs.jsonl, by: implicit}
  - {name: auto, type: preference-accuracy, data: pairs.jsonl}
`;

async function trained(verb: string, output: string, more: readonly string[] = []): Promise<void> {
  const steps = ['--lora', '--max-steps', '2', '--learning-rate', '1e-2'];
  const args = [...shortRun(folder.file('pairs.jsonl')), ...steps, ...more];
  const { code, stderr } = await keel([verb, ...args, '--output', folder.file(output)], { env });
  expect(code, stderr).toBe(0);
}

async function evaluated(run: string, text: string): Promise<Summary> {
  writeFileSync(folder.file('suite.yaml'), text);
  const output = folder.file(`${run}-evaluated`);
  const { code, stderr } = await keel(
    [
      ...['evaluate', '--suite', folder.file('suite.yaml'), '--run', folder.file(run)],
      ...['--precision', 'fp32', '--output', output],
    ],
    { env },
  );
  expect(code, stderr).toBe(0);
  return JSON.parse(readFileSync(`${output}/summary.json`, 'utf8'));
}

const metric = ({ tasks }: Summary['entries'][0], task: string, name: string): number =>
  tasks[task]!.metrics[name]!.value;

beforeAll(async () => {
  write('pairs.jsonl', pairs);
  write(
    'prompts.jsonl',
    pairs.slice(0, 6).map(({ prompt, rejected }) => ({ prompt, baseline: rejected })),
  );
  writeFileSync(folder.file('judge.ts'), judge);
  await trained('dpo', 'first');
  await trained('reward', 'reward');
});

/** The implicit margin is the change of the margin of log-probabilities. */
function expectImplicit([before, after]: Summary['entries'], task: string): void {
  expect(before!.tasks[task]).toMatchObject({ skipped: pairs.length, metrics: {} });
  const change = metric(after!, 'likelihood', 'margin') - metric(before!, 'likelihood', 'margin');
  expect(change).not.toBe(0);
  expect(metric(after!, task, 'margin')).toBeCloseTo(change, 3);
  expect(after!.tasks[task]!.metrics.accuracy!.count).toBe(pairs.length);
  expect(after!.differences.filter((one) => one.task === task)).toEqual([]);
}

test('measures win rates and preference accuracies before and after, and resumes', async () => {
  const { entries } = await evaluated('first', suite);
  const [before, after] = entries as [Summary['entries'][0], Summary['entries'][0]];
  expect([before.name, after.name]).toEqual(['before', folder.file('first')]);
  for (const entry of entries) {
    for (const task of ['longer', 'rewarded']) {
      expect(metric(entry, task, 'no_verdict'), task).toBe(0);
      expect(metric(entry, task, 'win_rate'), task).toBeGreaterThanOrEqual(0);
      expect(metric(entry, task, 'win_rate'), task).toBeLessThanOrEqual(1);
    }
    // Answers of equal length are half a win.
    const { win_rate: wins, longer, orders_agree: agree } = entry.tasks.longer!.metrics;
    expect(wins!.value).toBeGreaterThanOrEqual(longer!.value);
    expect(agree!.value).toBe(1);
  }
  // Other answers after training than before.
  expect(metric(after, 'rewarded', 'win_rate')).not.toBe(metric(before, 'rewarded', 'win_rate'));
  // A reward model judges the pairs, whatever model is evaluated.
  expect(metric(after, 'reward', 'margin')).toBe(metric(before, 'reward', 'margin'));
  for (const task of ['implicit', 'auto']) expectImplicit(entries, task);

  const own = `${folder.file('first-evaluated')}/before`;
  const stored = (): string[] =>
    readdirSync(own)
      .filter((file) => file.startsWith('items_'))
      .map((file) => readFileSync(`${own}/${file}`, 'utf8'));
  const first = stored();
  expect((await evaluated('first', suite)).entries[1]!.tasks).toEqual(after.tasks);
  expect(stored()).toEqual(first);
});

test('measures a run that continued an adapter against this adapter', async () => {
  await trained('dpo', 'second', ['--adapter', folder.file('first/final')]);
  const { entries } = await evaluated('second', suite);
  expectImplicit(entries, 'implicit');
});

test('an implicit reward without an adapter is an error with its place, before it starts', async () => {
  writeFileSync(folder.file('suite.yaml'), suite);
  const output = folder.file('refused');
  const { code, stderr } = await keel([
    ...['evaluate', '--suite', folder.file('suite.yaml'), '--model', tinyChat],
    ...['--output', output],
  ]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/suite\.yaml:6:5: by: implicit/);
  expect(() => readdirSync(output)).toThrow();
});
