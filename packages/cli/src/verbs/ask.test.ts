import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { shortRun, trajectoryRows } from '../testing/short-runs.ts';

const folder = new TemporaryFolder();
const reward = folder.file('reward');
const answers = folder.file('answers.jsonl');
writeFileSync(
  answers,
  [1, 2, 3]
    .map((at) => ({ prompt: `Why ${at}?`, completions: ['So.', 'No.', `Since ${at}.`] }))
    .map((row) => `${JSON.stringify(row)}\n`)
    .join(''),
);

beforeAll(async () => {
  const run = [...shortRun(trajectoryRows('dpo-sigmoid')), '--lora', '--max-steps', '2'];
  const trained = await keel(['reward', ...run, '--heads', '2', '--output', reward]);
  expect(trained.code, trained.stderr).toBe(0);
});
afterAll(() => folder[Symbol.dispose]());

test('keel ask writes pairs to label, and shows what they were chosen by', async () => {
  const output = folder.file('ask.jsonl');
  const args = [
    'ask',
    '--data',
    answers,
    '--reward',
    reward,
    '--count',
    '2',
    '--precision',
    'fp32',
  ];
  const plan = await keel([...args, '--output', output, '--dry-run']);
  expect(plan.code, plan.stderr).toBe(0);
  expect(plan.stdout).toMatch(/9 of 3 prompts/);
  const { code, stdout, stderr } = await keel([...args, '--output', output]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/2, 1 of them random/);
  expect(stdout).toContain('disagreement');
  const rows = jsonLines(readFileSync(output, 'utf8'));
  expect(rows).toHaveLength(2);
  for (const row of rows)
    expect(row).toMatchObject({ completions: [expect.any(String), expect.any(String)] });
  const again = await keel([...args, '--output', output]);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('--overwrite')]);
  const json = await keel([...args, '--output', output, '--overwrite', '--json']);
  expect(jsonLines(json.stdout).at(-1)).toMatchObject({
    type: 'final',
    output,
    rows: 2,
    random: 1,
  });
});
