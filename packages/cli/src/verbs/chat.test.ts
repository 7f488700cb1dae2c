import { readFileSync, writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const chat = [
  'chat',
  '--model',
  goldenPath('tiny-chat'),
  '--precision',
  'fp32',
  '--temperature',
  '0',
];

/** A conversation through a pipe: one line, one turn. */
const talk = (lines: readonly string[], more: readonly string[] = []) =>
  keel([...chat, '--max-new-tokens', '6', ...more], {
    input: lines.map((line) => `${line}\n`).join(''),
  });

describe('keel chat', () => {
  test('continues the conversation and saves it as a row of messages', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('chats.jsonl');
    const lines = ['Why blue?', 'And red?', `/save ${file}`, '/reset', 'Why?', `/save ${file}`];
    const { code, stdout, stderr } = await talk(lines, ['--system', 'Be brief.']);
    expect(code, stderr).toBe(0);
    const saved = jsonLines(readFileSync(file, 'utf8')) as {
      messages: { role: string; content: string }[];
    }[];
    const roles = saved.map(({ messages }) => messages.map(({ role }) => role).join(' '));
    expect(roles).toEqual(['system user assistant user assistant', 'system user assistant']);
    const [first] = saved;
    expect(first!.messages.map(({ content }) => content)).toEqual(
      expect.arrayContaining(['Be brief.', 'Why blue?', 'And red?']),
    );
    for (const { role, content } of first!.messages) {
      if (role === 'assistant') expect(stdout).toContain(content);
    }
  });

  test('/undo removes the last exchange, so that the same answer is generated again', async () => {
    const { stdout } = await talk(['Why blue?', '/undo', 'Why blue?']);
    const [answer, taken, again] = stdout.split(/^(\S.*: Why blue\?)$/m);
    expect(taken).toMatch(/: Why blue\?$/);
    expect(again!.trim()).toBe(answer!.trim());
    expect(answer!.trim()).not.toBe('');
  });

  test('/system starts over with another message', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('chats.jsonl');
    await talk(['Why blue?', '/system Be kind.', 'Hello', `/save ${file}`]);
    const [{ messages }] = jsonLines(readFileSync(file, 'utf8')) as unknown as [
      { messages: object[] },
    ];
    expect(messages.slice(0, 2)).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hello' },
    ]);
  });

  test('an answer begins with what the generation prompt opened', async () => {
    using folder = new TemporaryFolder();
    const [file, template] = [folder.file('chats.jsonl'), folder.file('think.jinja')];
    writeFileSync(
      template,
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>' }}{% endif %}",
    );
    await talk(['Why blue?', `/save ${file}`], ['--chat-template', template]);
    expect(jsonLines(readFileSync(file, 'utf8'))).toMatchObject([
      { messages: [{ content: 'Why blue?' }, { content: expect.stringMatching(/^<think>/) }] },
    ]);
  });

  test('/exit quits, and unknown commands are reported', async () => {
    const { code, stdout } = await talk(['/rest', '/save', '/exit', 'Why blue?']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\/rest\b.*\/reset\b/);
    expect(stdout).toContain('/save chats.jsonl');
    expect(stdout.trimEnd().endsWith('/save chats.jsonl')).toBe(true);
  });

  test('/good and /bad write rows for keel kto, and a rating can be changed or taken back', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('new/feedback.jsonl');
    const lines = ['/good', 'Why blue?', '/good', '/good', 'And red?', '/good', '/bad'];
    const more = ['Why?', '/bad', '/undo'];
    const { code, stdout, stderr } = await talk([...lines, ...more], ['--feedback', file]);
    expect(code, stderr).toBe(0);
    const rows = jsonLines(readFileSync(file, 'utf8')) as {
      prompt: { role: string; content: string }[];
      completion: { role: string; content: string }[];
      label: boolean;
    }[];
    expect(rows.map(({ label }) => label)).toEqual([true, false]);
    expect(rows.map(({ prompt }) => prompt.at(-1)!.content)).toEqual(['Why blue?', 'And red?']);
    expect(rows[1]!.prompt[1]).toEqual(rows[0]!.completion[0]);
    expect(stdout.split(file)).toHaveLength(6);
    // Nobody ends an answer within six tokens: training refuses it until someone says otherwise.
    const run = ['--output', folder.file('run'), '--max-steps', '1', '--batch-size', '2', '--lora'];
    const train = () => keel(['kto', '--model', goldenPath('tiny-chat'), '--data', file, ...run]);
    expect((await train()).stderr).toMatch(/:1.*finish_reason/);
    const ended = rows.map((row) => `${JSON.stringify({ ...row, finish_reason: 'stop' })}\n`);
    writeFileSync(file, ended.join(''));
    const trained = await train();
    expect(trained.code, trained.stderr).toBe(0);
  });

  test('rows have the template variables, and cut answers are not to be trained on', async () => {
    using folder = new TemporaryFolder();
    const [saved, rated] = [folder.file('chats.jsonl'), folder.file('feedback.jsonl')];
    const lines = ['Why blue?', '/good', `/save ${saved}`];
    const variables = { style: 'short', depth: 2 };
    const more = ['--feedback', rated, '--chat-template-kwargs', JSON.stringify(variables)];
    const { code, stderr } = await talk(lines, more);
    expect(code, stderr).toBe(0);
    expect(jsonLines(readFileSync(saved, 'utf8'))).toMatchObject([
      { messages: [{}, { role: 'assistant', weight: 0 }], chat_template_kwargs: variables },
    ]);
    expect(jsonLines(readFileSync(rated, 'utf8'))).toMatchObject([
      { label: true, finish_reason: 'length', chat_template_kwargs: variables },
    ]);
  });
});
