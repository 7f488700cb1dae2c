// `keel judge` by an endpoint that is busy, limited and killed in the middle.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  openScriptedEndpoint,
  type Script,
  type ScriptedEndpoint,
} from '@keel/align/testing/endpoint';
import { describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const SECRET = 'sk-very-secret-0123456789';
const PAIRS = 12;

/** Prefers the answer that is longer. */
const judging: Script = ({ messages }) => {
  const [, a, b] = /<answer A.*?>\n(.*?)\n<\/answer.*<answer B.*?>\n(.*?)\n<\/answer/s.exec(
    messages.at(-1)!.content,
  )!;
  const first = a!.length > b!.length ? 0.75 : 0.25;
  return {
    tokens: [{ token: 'A', top: { A: first, B: 1 - first } }],
    usage: { prompt: 100, answer: 1 },
  };
};

function job(folder: TemporaryFolder, { url }: ScriptedEndpoint, spec = ''): string[] {
  const pairs = Array.from({ length: PAIRS }, (_, row) => ({
    ...{ prompt: `question ${row}`, chosen: 'a longer answer', rejected: 'an answer' },
  }));
  writeFileSync(
    folder.file('pairs.jsonl'),
    pairs.map((row) => `${JSON.stringify(row)}\n`).join(''),
  );
  writeFileSync(
    folder.file('judge.yaml'),
    `type: endpoint\nmodel: m\nbase_url: ${url}\napi_key_env: JUDGE_KEY\nties: false\n${spec}`,
  );
  return [
    ...['judge', '--pairs', folder.file('pairs.jsonl'), '--judge', folder.file('judge.yaml')],
    ...['--output', folder.file('out'), '--json'],
  ];
}

const envOf = (folder: TemporaryFolder) => ({
  env: { KEEL_CACHE: folder.file('cache'), JUDGE_KEY: SECRET },
});

/** All text that a folder's files contain. */
const textsIn = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');

const summaryOf = (stdout: string) => jsonLines(stdout).at(-1)!.summary as { judged: number };

describe('keel judge by an endpoint', () => {
  test('that is busy at times has all verdicts, and writes no key', async () => {
    await using endpoint = await openScriptedEndpoint((request, index) =>
      index % 8 === 1
        ? { status: 429, body: SECRET, headers: { 'retry-after': '0' } }
        : judging(request, index),
    );
    using folder = new TemporaryFolder();
    const ended = await keel(job(folder, endpoint), envOf(folder));
    expect(ended.code, ended.stderr).toBe(0);
    expect(summaryOf(ended.stdout)).toMatchObject({ pairs: PAIRS, judged: PAIRS });
    expect(endpoint.headers[0]!.authorization).toBe(`Bearer ${SECRET}`);
    const written = textsIn(folder.path) + ended.stdout + ended.stderr;
    expect(written).toContain('a longer answer');
    expect(written).not.toContain(SECRET);
  });

  test('stops at its budget, and continues with a larger one', async () => {
    await using endpoint = await openScriptedEndpoint(judging);
    using folder = new TemporaryFolder();
    const limited = await keel(
      job(folder, endpoint, 'budget: {tokens: 1200}\nconcurrency: 2\nmax_tokens: 20\n'),
      envOf(folder),
    );
    expect(limited.code).toBe(1);
    expect(limited.stdout + limited.stderr).toMatch(/budget.*\d+ of 1200 tokens/);
    const asked = endpoint.requests.length;
    expect(asked).toBeGreaterThan(0);
    expect(101 * asked).toBeLessThanOrEqual(1200);
    const ended = await keel(job(folder, endpoint, 'max_tokens: 20\n'), envOf(folder));
    expect(ended.code, ended.stderr).toBe(0);
    expect(summaryOf(ended.stdout)).toMatchObject({ judged: PAIRS });
    expect(endpoint.requests).toHaveLength(2 * PAIRS);
  });

  test('that is killed asks for what is missing only', async () => {
    let child: { kill(signal: 'SIGKILL'): boolean } | undefined;
    await using endpoint = await openScriptedEndpoint((request, index) => {
      if (index === 10) child!.kill('SIGKILL');
      return judging(request, index);
    });
    using folder = new TemporaryFolder();
    const args = job(folder, endpoint, 'concurrency: 2\n');
    const killed = await keel(args, {
      ...envOf(folder),
      onChild(started) {
        child = started;
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    const asked = endpoint.requests.length;
    const ended = await keel(args, envOf(folder));
    expect(summaryOf(ended.stdout)).toMatchObject({ judged: PAIRS });
    // Those in flight when it was killed are asked again.
    const again = endpoint.requests.length - asked;
    expect(again).toBeGreaterThanOrEqual(2 * PAIRS - asked);
    expect(again).toBeLessThanOrEqual(2 * PAIRS - asked + 3);
  });

  test.each([
    ['a wrong key', { status: 401 }, /401.*JUDGE_KEY/],
    ['no such model', { status: 404 }, /404.*"m".*base_url/],
  ])('stops at once: %s', async (_, reply, pattern) => {
    await using endpoint = await openScriptedEndpoint(() => reply);
    using folder = new TemporaryFolder();
    const ended = await keel(job(folder, endpoint), envOf(folder));
    expect(ended.code).not.toBe(0);
    expect(ended.stdout + ended.stderr).toMatch(pattern);
    expect(ended.stdout + ended.stderr).not.toContain(SECRET);
  });
});
