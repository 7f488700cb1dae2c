import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Calling, jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { tinyChat } from '../testing/short-runs.ts';

const prompts = ['hello', 'who are you', 'what is a bird', 'tell me more', 'go on', 'why'];

/** Samples into `folder`/best.jsonl; rewards are the answers' lengths in letters. */
function bestOfN(folder: TemporaryFolder, args: readonly string[], calling: Calling = {}) {
  const [data, reward] = [folder.file('prompts.jsonl'), folder.file('reward.mjs')];
  const rows = prompts.map((content) => ({ prompt: [{ role: 'user', content }] }));
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(reward, 'export default ({ text }) => text.length;\n');
  const short = [
    ...['--model', tinyChat, '--precision', 'fp32', '--data', data, '--reward', reward],
    ...['--max-new-tokens', '8', '--batch-size', '2', '--output', folder.file('best.jsonl')],
  ];
  return keel(['best-of-n', ...short, ...args], {
    ...calling,
    env: { KEEL_CACHE: folder.file('cache') },
  });
}

describe('keel best-of-n', () => {
  test('writes rows that keel sft reads, and reports the reward of the best of each n', async () => {
    using folder = new TemporaryFolder();
    const { code, stdout, stderr } = await bestOfN(folder, ['--num-generations', '4']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^24 answers to 6 prompts: \d tokens on average/m);
    expect(stdout).toMatch(/^ +best of +reward +95% interval +KL at most$/m);
    expect(stdout).toMatch(/^ +4 +\d+\.\d{3} +\d+\.\d{3} to \d+\.\d{3} +0\.636$/m);
    // Nobody finishes within eight tokens, so no command trains on the rows.
    expect(stdout).toMatch(/^6 of 6 rows .*cut off.*--max-new-tokens/m);
    expect(stdout).not.toContain('npx keel sft');
    const lines = jsonLines(readFileSync(folder.file('best.jsonl'), 'utf8'));
    expect(lines).toHaveLength(6);
    expect(lines[1]).toMatchObject({
      row: 1,
      prompt: [{ role: 'user', content: 'who are you' }],
      completion: [{ role: 'assistant', content: expect.any(String) }],
      score: expect.any(Number),
      finish_reason: 'length',
    });
    // One row is as if its answer had ended, and the others are skipped.
    const rows = [{ ...(lines[0] as object), finish_reason: 'stop' }, ...lines.slice(1)];
    writeFileSync(
      folder.file('some.jsonl'),
      rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
    const sft = (...more: string[]) =>
      keel(
        [
          ...['sft', '--model', tinyChat, '--data', folder.file('some.jsonl'), '--max-steps', '1'],
          ...['--output', folder.file('run'), '--lora', '--precision', 'fp32', ...more],
        ],
        { env: { KEEL_CACHE: folder.file('cache') } },
      );
    const refused = await sft();
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/:2.*finish_reason/)]);
    const trained = await sft('--on-bad-row', 'skip');
    expect(trained.code, trained.stderr).toBe(0);
  });

  test('--json writes one object per line and nothing else; keel dpo can read the pairs', async () => {
    using folder = new TemporaryFolder();
    const args = ['--num-generations', '3', '--write', 'pairs', '--json'];
    const { code, stdout, stderr } = await bestOfN(folder, args);
    expect(code, stderr).toBe(0);
    const events = jsonLines(stdout);
    expect(events[0]).toMatchObject({ type: 'progress', answers: 0, total: 18 });
    const final = events.at(-1)!;
    expect(final).toMatchObject({ type: 'final', prompts: 6, answers: 18, prompts_left_out: 0 });
    const curve = final.best_of as { k: number; reward: number; kl_at_most: number }[];
    expect(curve.map(({ k }) => k)).toEqual([1, 2, 3]);
    expect(curve[2]!.reward).toBeGreaterThan(curve[0]!.reward);
    expect(curve[2]!.kl_at_most).toBeCloseTo(Math.log(3) - 2 / 3, 12);
    const scored = await keel(
      ['score', '--model', tinyChat, '--data', folder.file('best.jsonl'), '--json'],
      { env: { KEEL_CACHE: folder.file('cache') } },
    );
    expect(scored.code, scored.stderr).toBe(0);
    expect(jsonLines(scored.stdout)).toHaveLength(final.rows as number);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('after %s the same command resumes', async (signal) => {
    using whole = new TemporaryFolder();
    using folder = new TemporaryFolder();
    const args = ['--num-generations', '4', '--max-new-tokens', '64', '--json'];
    const done = await bestOfN(whole, args);
    expect(done.code, done.stderr).toBe(0);
    const stopped = await bestOfN(folder, args, {
      onLine: (line, child) => {
        if (JSON.parse(line).type === 'progress') child.kill(signal);
      },
    });
    expect([stopped.code, stopped.signal]).toEqual(
      signal === 'SIGINT' ? [130, null] : [null, 'SIGKILL'],
    );
    expect(existsSync(folder.file('best.jsonl'))).toBe(false);
    const other = await bestOfN(folder, [...args, '--seed', '7']);
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/--seed .* 42 to 7/);
    const resumed = await bestOfN(folder, args);
    expect(resumed.code, resumed.stderr).toBe(0);
    const [found, expected] = [folder, whole].map((one) =>
      readFileSync(one.file('best.jsonl'), 'utf8'),
    );
    expect(found).toBe(expected);
    const again = await bestOfN(folder, args);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('--overwrite');
  });

  test('impossible options are usage errors', async () => {
    using folder = new TemporaryFolder();
    for (const [args, told] of [
      [['--temperature', '0'], /--temperature: .*above 0/],
      [['--write', 'pairs', '--num-generations', '1'], /--write: pairs .*--num-generations 2/],
      [['--reward', 'nothing'], /--reward nothing: there is no such file/],
    ] as const) {
      const { code, stderr } = await bestOfN(folder, args);
      expect(code, stderr).toBe(2);
      expect(stderr).toMatch(told);
    }
  });
});
