import { writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { expect, test } from 'vitest';
import { namedAdapter } from '../options/serve.ts';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const model = goldenPath('tiny-chat');
const serve = ['serve', '--model', model, '--precision', 'fp32', '--port', '0'];
const signals = ['SIGTERM', 'SIGINT'] as const;

/** The body of a chat request, and its answer's text. */
async function chat(url: string, headers = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({
      messages: [{ role: 'user', content: 'Why blue?' }],
      ...{ temperature: 0, max_tokens: 8 },
    }),
  });
  const { choices } = (await response.json()) as { choices?: { message: { content: string } }[] };
  return { status: response.status, text: choices?.[0]?.message.content ?? '' };
}

test('serves until a signal, with the answers of keel generate', async () => {
  const answers: { status: number; text: string }[] = [];
  const { code, stdout, stderr } = await keel([...serve, '--json'], {
    onLine: async (line, child) => {
      answers.push(await chat((JSON.parse(line) as { url: string }).url));
      child.kill('SIGTERM');
    },
  });
  expect(code, stderr).toBe(143);
  expect(jsonLines(stdout)).toEqual([
    {
      type: 'listening',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      models: [model],
    },
  ]);
  const how = ['--model', model, '--precision', 'fp32', '--max-new-tokens', '8'];
  const generated = await keel(['generate', ...how, '--prompt', 'Why blue?']);
  expect(answers).toEqual([{ status: 200, text: generated.stdout.replace(/\n$/, '') }]);
});

test.each(signals)('%s while a request runs lets it end', async (signal) => {
  let status = 0;
  const { code } = await keel([...serve, '--json'], {
    env: { KEEL_API_KEY: 'secret' },
    onLine: async (line, child) => {
      const { url } = JSON.parse(line) as { url: string };
      const answer = chat(url, { Authorization: 'Bearer secret' });
      const unauthorised = await chat(url);
      expect(unauthorised.status).toBe(401);
      ({ status } = await answer);
      child.kill(signal);
    },
  });
  expect(status).toBe(200);
  expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
});

test('what cannot be served is refused before anything listens', async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.file('empty'), '');
  const open = await keel([...serve, '--host', '0.0.0.0'], { env: { KEEL_API_KEY: undefined } });
  expect(open).toMatchObject({ code: 1, stderr: expect.stringContaining('KEEL_API_KEY') });
  const wrong = await keel([...serve, '--adapter', `one=${folder.path}`]);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('adapter_config.json') });
  const twice = await keel([...serve, '--adapter', 'a/one', '--adapter', 'b/one']);
  expect(twice).toMatchObject({ code: 2, stderr: expect.stringContaining('two adapters') });
});

test('an adapter is named by its run, or explicitly', () => {
  expect(namedAdapter('runs/first')).toEqual({ name: 'first', folder: 'runs/first' });
  expect(namedAdapter('runs/first/final')).toEqual({ name: 'first', folder: 'runs/first/final' });
  expect(namedAdapter('policy=runs/a=b')).toEqual({ name: 'policy', folder: 'runs/a=b' });
  expect(namedAdapter('runs/a=b').folder).toBe('runs/a=b');
});
