import { readFileSync, writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const tiny = ['--model', goldenPath('tiny-chat'), '--precision', 'fp32'];
const warm = ['--temperature', '1', '--max-new-tokens', '60'];
const asked = ['generate', ...tiny, ...warm, '--prompt', 'Why blue?', '--samples', '4', '--json'];

async function completions(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await keel([...asked, ...args]);
  expect(code, stderr).toBe(0);
  return jsonLines(stdout).map(({ completion, finish_reason }) => {
    expect(finish_reason).toBe('stop');
    return completion as string;
  });
}

describe('keel generate limits answers', () => {
  test('by a JSON schema, as text or in a file', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('schema.json');
    const schema = {
      ...{ type: 'object', required: ['ok'], additionalProperties: false },
      properties: { ok: { type: 'boolean' }, note: { type: 'string', maxLength: 5 } },
    };
    writeFileSync(file, JSON.stringify(schema));
    const inFile = await completions('--json-schema', file);
    expect(inFile).toHaveLength(4);
    for (const text of inFile) expect(JSON.parse(text).ok).toEqual(expect.any(Boolean));
    expect(await completions('--json-schema', JSON.stringify(schema))).toEqual(inFile);
  });

  test('by a regular expression, choices, and a grammar', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('list.gbnf');
    writeFileSync(file, 'root ::= item ("," item){1,3}\nitem ::= [a-c]');
    for (const text of await completions('--regex', '\\d{2}-x')) expect(text).toMatch(/^\d\d-x$/);
    for (const text of await completions('--choices', 'yes,no')) expect(text).toMatch(/^(yes|no)$/);
    for (const text of await completions('--grammar', file)) {
      expect(text).toMatch(/^[a-c](,[a-c]){1,3}$/);
    }
  });

  test('by the response_format of rows, and resumes no job with another constraint', async () => {
    using folder = new TemporaryFolder();
    const [prompts, output] = [folder.file('prompts.jsonl'), folder.file('out.jsonl')];
    const format = (schema: object) => ({
      type: 'json_schema',
      json_schema: { name: 'x', schema },
    });
    const chat = [{ role: 'user', content: 'hi' }];
    const rows = [
      { prompt: chat, response_format: format({ enum: [1.5, 'a'] }) },
      { prompt: chat },
      { prompt: chat, response_format: { type: 'text' } },
    ];
    writeFileSync(prompts, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const args = ['generate', ...tiny, ...warm, '--prompts', prompts, '--output', output];
    const { code, stderr } = await keel([...args, '--choices', 'left,right']);
    expect(code, stderr).toBe(0);
    const written = jsonLines(readFileSync(output, 'utf8')) as {
      completion: { content: string }[];
      response_format?: object;
    }[];
    const texts = written.map(({ completion }) => completion[0]!.content);
    expect([1.5, 'a']).toContainEqual(JSON.parse(texts[0]!));
    expect(['left', 'right']).toContain(texts[1]);
    expect(['left', 'right']).not.toContain(texts[2]);
    expect(written[0]!.response_format).toEqual(rows[0]!.response_format);
    writeFileSync(
      prompts,
      `${JSON.stringify({ prompt: chat, response_format: format({ not: {} }) })}\n`,
    );
    const refused = await keel([...args, '--overwrite']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/prompts\.jsonl:1: field "response_format".*keyword not/s);
  });

  test.each([
    [['--regex', 'a(b'], 1, /--regex: the regular expression .* at character 2, a \( without/],
    [['--json-schema', '{"a"'], 1, /--json-schema: is not JSON/],
    [['--json-schema', 'none.json'], 1, /--json-schema none\.json/],
    [['--json-schema', '{"type":"array","contains":{}}'], 1, /at # has the keyword contains/],
    [['--grammar', 'none.gbnf'], 1, /--grammar none\.gbnf/],
    [['--regex', 'a', '--choices', 'b'], 2, /--choices: .*--regex/],
  ])('%j is refused', async (args, exit, message) => {
    const { code, stderr, stdout } = await keel([...asked, ...args]);
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

test('keel best-of-n and keel chat limit answers too', async () => {
  using folder = new TemporaryFolder();
  const [data, reward, output] = ['data.jsonl', 'reward.mjs', 'best.jsonl'].map((name) =>
    folder.file(name),
  ) as [string, string, string];
  writeFileSync(data, '{"prompt": "hi"}\n');
  writeFileSync(reward, 'export default ({ text }) => text.length;\n');
  const job = ['best-of-n', ...tiny, '--data', data, '--reward', reward, '--output', output];
  const best = await keel([...job, '--choices', 'a,bb', '--num-generations', '6']);
  expect(best.code, best.stderr).toBe(0);
  expect(jsonLines(readFileSync(output, 'utf8'))[0]).toMatchObject({ completion: 'bb' });
  const wrong = await keel([...job, '--overwrite', '--regex', '[b-a]']);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/ends are swapped/) });
  const said = await keel(['chat', ...tiny, '--regex', '[xy]{3}'], { input: 'hello\nand?\n' });
  expect(said.code, said.stderr).toBe(0);
  expect(said.stdout).toMatch(/^[xy]{3}\n[xy]{3}\n$/);
});
