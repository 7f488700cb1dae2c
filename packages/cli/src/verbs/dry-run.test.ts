import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { shortRun, tinyChat, train, trajectoryRows } from '../testing/short-runs.ts';

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

  test('with --json it is one object, followed by the facts about the rows', async () => {
    using folder = new TemporaryFolder();
    const args = ['--max-steps', '2', '--dry-run', '--json'];
    const { code, stdout } = await train('reward', folder, [...shortRun(rows), ...args]);
    expect(code).toBe(0);
    const [plan, ...others] = jsonLines(stdout);
    expect(others.map(({ type }) => type)).toEqual(['data']);
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

describe('--dry-run of a verb that trains nothing', () => {
  const model = ['--model', tinyChat, '--precision', 'fp32', '--dry-run', '--json'];
  const planOf = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await keel([...args, ...model]);
    expect(code, stderr).toBe(0);
    const lines = jsonLines(stdout);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ type: 'plan', dry_run: true });
    return lines[0]!;
  };

  test('best-of-n opens the reward, counts the answers that are left, and samples none', async () => {
    using folder = new TemporaryFolder();
    const prompts = folder.file('prompts.jsonl');
    writeFileSync(prompts, '{"prompt":"a"}\n{"prompt":"b"}\n');
    const output = folder.file('best.jsonl');
    const args = ['best-of-n', '--data', prompts, '--output', output, '--num-generations', '3'];
    const short = [...args, '--max-new-tokens', '4'];
    const plan = await planOf([...short, '--reward', 'length:-4']);
    expect(plan).toMatchObject({
      ...{ prompts: { all: 2, done: 0 }, sampling: { answers: 6, generations: 3 }, output },
      reward: { spec: 'length:-4' },
    });
    expect(readdirSync(folder.path)).toEqual(['prompts.jsonl']);
    const wrong = await keel([...short, ...model, '--reward', folder.file('none')]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain(folder.file('none'));
  });

  test('generate and score check every row, and print no answer and no score', async () => {
    using folder = new TemporaryFolder();
    const prompts = folder.file('prompts.jsonl');
    writeFileSync(prompts, '{"prompt":"a"}\n{"prompt":"b"}\n');
    expect(await planOf(['generate', '--prompts', prompts, '--samples', '2'])).toMatchObject({
      ...{ verb: 'generate', prompts: { all: 2 }, sampling: { generations: 2 } },
      model: { name: tinyChat },
    });
    expect(await planOf(['score', '--data', rows])).toMatchObject({ verb: 'score', score: null });
    const scored = await planOf(['score', '--data', rows, '--reward', 'length:-4']);
    expect(scored).toMatchObject({ model: null, reward: { spec: 'length:-4' } });
  });
});
