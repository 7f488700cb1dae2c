// keel grpo on the samples of keel serve, as two programs.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { tinyChat, train } from '../testing/short-runs.ts';

const key = 'the-key-of-this-test';

/** Runs `work` with the address of a server that loads adapters below a folder. */
async function serving(adapters: string, work: (url: string) => Promise<void>): Promise<string> {
  let working: Promise<void> | null = null;
  const serve = ['serve', '--model', tinyChat, '--precision', 'fp32', '--port', '0', '--json'];
  const { stderr } = await keel([...serve, '--runtime-adapters', adapters], {
    env: { KEEL_API_KEY: key },
    onLine(line, child) {
      const { url } = JSON.parse(line) as { url: string };
      working = work(url).finally(() => child.kill('SIGTERM'));
      // It is waited for once the server has ended.
      working.catch(() => {});
    },
  });
  expect(working, stderr).not.toBeNull();
  await working;
  return stderr;
}

function promptsIn(folder: TemporaryFolder): string {
  const path = folder.file('prompts.jsonl');
  const rows = ['hello', 'who are you', 'what is a bird', 'tell me more'].map((content) => ({
    prompt: [{ role: 'user', content }],
  }));
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

const completions = (run: string): string[] =>
  jsonLines(readFileSync(`${run}/samples.jsonl`, 'utf8')).map((line) => line.completion as string);

const short = [
  ...['--reward', 'length:-20', '--precision', 'fp32', '--num-generations', '4'],
  ...['--batch-size', '4', '--max-new-tokens', '8', '--max-steps', '2', '--json'],
];

test('--rollouts: a run on keel serve has the samples of a run by itself', async () => {
  using folder = new TemporaryFolder();
  const [adapters, data] = [folder.file('adapters'), promptsIn(folder)];
  const args = ['--data', data, '--model', tinyChat, ...short];
  const alone = await train('grpo', folder, args, {});
  expect(alone.code, alone.stderr).toBe(0);
  const expected = completions(folder.file('run'));
  expect(expected).toHaveLength(2 * 4 * 4);
  await serving(adapters, async (url) => {
    const served = ['--rollouts', url, '--rollout-adapters', adapters, '--overwrite'];
    const refused = await train('grpo', folder, [...args, ...served], {});
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('401');
    const env = { KEEL_ROLLOUT_API_KEY: key };
    const { code, stdout, stderr } = await train('grpo', folder, [...args, ...served], { env });
    expect(code, stderr).toBe(0);
    const [plan, ...events] = jsonLines(stdout);
    expect(plan).toMatchObject({
      rollouts: { servers: [url], correction: { mode: 'sequence_mask', max: 3 } },
    });
    for (const step of events.filter(({ type }) => type === 'step')) {
      expect(step['sampling/sampling_logp_difference/max']).toBeLessThan(1e-4);
      expect(step['sampling/bounded_share']).toBe(0);
      expect(step['rollouts/staleness']).toBe(0);
    }
    expect(completions(folder.file('run'))).toEqual(expected);
    expect(readdirSync(adapters)).toEqual([]);
    // Two processes: the first one loads the adapter, and each samples its prompts.
    const { code: together, stderr: said } = await keel(
      [
        ...['launch', '--processes', '2', 'grpo', ...args, '--output', folder.file('shared')],
        ...['--rollouts', url, '--rollout-adapters', adapters],
      ],
      { env: { ...env, KEEL_CACHE: folder.file('cache') } },
    );
    expect(together, said).toBe(0);
    expect(completions(folder.file('shared'))).toEqual(expected);
    expect(readdirSync(adapters)).toEqual([]);
  });
});

test('--rollouts without a server ends with what was tried', async () => {
  using folder = new TemporaryFolder();
  const args = ['--data', promptsIn(folder), '--model', tinyChat, ...short];
  const { code, stderr } = await train(
    'grpo',
    folder,
    [...args, '--rollouts', 'http://127.0.0.1:9'],
    {},
  );
  expect(code).toBe(1);
  expect(stderr).toContain('no rollout server could sample:');
  expect(stderr).toContain('http://127.0.0.1:9: /v1/models: connect ECONNREFUSED');
});
