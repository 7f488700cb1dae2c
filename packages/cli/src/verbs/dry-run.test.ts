import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jsonLines, TemporaryFolder } from '../testing/command-line.ts';
import { shortRun, train, trajectoryRows } from '../testing/short-runs.ts';

const rows = trajectoryRows('dpo-sigmoid');

describe('--dry-run of a training verb', () => {
  test('prints the plan in aligned lines and leaves no file', async () => {
    using folder = new TemporaryFolder();
    const args = ['--eval-data', rows, '--max-steps', '12', '--lora', '--dry-run'];
    const { code, stdout, stderr } = await train('dpo', folder, [...shortRun(rows), ...args]);
    expect(code, stderr).toBe(0);
    const lines = stdout.split('\n').filter((line) => /^[a-z]+ {2,}\S/.test(line));
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      ...['model', 'trained', 'rows', 'steps', 'objective', 'reference', 'rate', 'machine'],
      'output',
    ]);
    expect(new Set(lines.map((line) => /^[a-z]+ +/.exec(line)![0].length)).size).toBe(1);
    expect(stdout).toMatch(/^steps .*\b12\b.*\b4 rows\b/m);
    expect(stdout).toMatch(/^trained .*rank 16.*all linear layers$/m);
    expect(stdout).toContain('--dry-run');
    expect(existsSync(folder.file('run'))).toBe(false);
  });

  test('with --json it is one object', async () => {
    using folder = new TemporaryFolder();
    const args = ['--max-steps', '2', '--dry-run', '--json'];
    const { code, stdout } = await train('reward', folder, [...shortRun(rows), ...args]);
    expect(code).toBe(0);
    const [plan, ...others] = jsonLines(stdout);
    expect(others).toEqual([]);
    expect(plan).toMatchObject({
      ...{ type: 'plan', verb: 'reward', dry_run: true, output: folder.file('run') },
      ...{ steps: { total: 2, batch_size: 4 }, rows: { held_out: null }, reward: { heads: 1 } },
      learning_rate: { peak: 1e-5, warmup_steps: 0 },
    });
    expect(existsSync(folder.file('run'))).toBe(false);
  });

  test('fails as the run would: with exit code 1, and without a folder', async () => {
    using folder = new TemporaryFolder();
    const bad = folder.file('bad.jsonl');
    writeFileSync(bad, '{"prompt":"a","chosen":"b"}\n');
    const { code, stderr } = await train('dpo', folder, [...shortRun(bad), '--dry-run']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/bad\.jsonl:1.*"rejected"/s);
    expect(readdirSync(folder.path).includes('run')).toBe(false);
  });
});
