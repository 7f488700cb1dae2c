import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { shortRun, tinyChat, trajectoryRows } from '../testing/short-runs.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const rows = Array.from({ length: 4 }, (_, at) => ({
  prompt: `Is it number ${at}?`,
  choices: ['yes', 'no', 'perhaps'],
  answer: at % 3,
}));

const suite = folder.file('small.yaml');
const gates = folder.file('gates.yaml');
beforeAll(() => {
  writeFileSync(folder.file('rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  writeFileSync(
    suite,
    'tasks:\n  - {name: small, type: multiple-choice, data: rows.jsonl, mutual_information: true}\n',
  );
  writeFileSync(
    gates,
    'gates:\n  - {metric: small/acc, at_least: 0}\n  - {metric: small/acc, at_least: 1.1}\n',
  );
});

const evaluate = (...args: string[]) =>
  keel(['evaluate', '--suite', suite, '--model', tinyChat, '--precision', 'fp32', ...args]);

describe('keel evaluate', () => {
  test('prints a table, and exits with 3 for a gate that is not passed', async () => {
    const output = folder.file('table');
    const { code, stdout, stderr } = await evaluate('--output', output, '--gate', gates);
    expect(code, stderr).toBe(3);
    expect(stdout).toMatch(/small +4 +acc +\d+\.\d% \(/);
    expect(stdout).toMatch(/Only in the report: small\/\w+$/m);
    expect(stdout).toMatch(/passed +small\/acc .*0\.0%/);
    expect(stdout).toMatch(/failed +small\/acc .*110\.0%.* \d+\.\d points/);
    expect(existsSync(`${output}/report.html`)).toBe(true);
    expect(JSON.parse(readFileSync(`${output}/summary.json`, 'utf8')).passed).toBe(false);
  });

  test('prints JSON lines with --json', async () => {
    const { code, stdout, stderr } = await evaluate('--output', folder.file('json'), '--json');
    expect(code, stderr).toBe(0);
    const last = jsonLines(stdout).at(-1) as Record<string, unknown>;
    expect(last).toMatchObject({ type: 'final', suites: [suite], passed: null });
    expect((last.entries as { tasks: object }[])[0]!.tasks).toHaveProperty('small.metrics.acc');
  });

  test('writes nothing with --dry-run', async () => {
    const output = folder.file('dry');
    const { code, stdout } = await evaluate('--output', output, '--dry-run', '--json');
    expect(code).toBe(0);
    expect(jsonLines(stdout)[0]).toMatchObject({ type: 'plan', rows: { each: 4, all: 4 } });
    expect(existsSync(output)).toBe(false);
  });

  test.each([
    [['--limit', '0'], /limit.*0/],
    [['--run', 'x'], /run.*--model/],
    [['--adapter', 'base,base'], /adapter.*base/],
    [['--suite', 'cor'], /--suite cor/],
  ])('with %j is wrong usage', async (args, message) => {
    const { code, stderr } = await evaluate(...args, '--output', folder.file('wrong'));
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('needs a suite or a task', async () => {
    const { code, stderr } = await keel(['evaluate', '--model', tinyChat]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--suite/);
  });
});

test('a training run measures the suites of --eval-suites, and may choose by them', async () => {
  const run = [...shortRun(trajectoryRows('dpo-sigmoid')), '--lora', '--max-steps', '2'];
  const best = ['--eval-steps', '1', '--best-metric', 'suite/small/acc'];
  const output = folder.file('run');
  const { code, stderr, stdout } = await keel([
    ...['dpo', ...run, '--eval-suites', suite, '--output', output, '--json'],
    ...[...best, '--best-metric-goal', 'higher'],
  ]);
  expect(code, stderr).toBe(0);
  const metrics = jsonLines(readFileSync(`${output}/metrics.jsonl`, 'utf8'));
  const found = metrics.filter((row) => 'suite/small/acc' in row);
  expect(found.map(({ step }) => step)).toEqual([0, 1, 2]);
  for (const row of found) {
    expect(row['suite/small/acc']).toBeGreaterThanOrEqual(0);
    expect(row['suite/small/acc']).toBeLessThanOrEqual(1);
  }
  expect(jsonLines(stdout).filter(({ type }) => type === 'suites')).toHaveLength(3);
});
