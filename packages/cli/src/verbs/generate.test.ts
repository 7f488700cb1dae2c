import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const fp32 = ['--model', goldenPath('tiny-chat'), '--precision', 'fp32', '--max-new-tokens', '8'];

describe('keel generate', () => {
  test('writes only the answer, the same as with --json', async () => {
    const args = ['generate', ...fp32, '--prompt', 'Why blue?'];
    const plain = await keel(args);
    expect(plain.code, plain.stderr).toBe(0);
    const { code, stdout } = await keel([...args, '--json']);
    expect(code).toBe(0);
    const [answer, ...more] = jsonLines(stdout);
    expect(more).toEqual([]);
    expect(answer).toMatchObject({ prompt: 'Why blue?', tokens: 8, finish_reason: 'length' });
    expect(plain.stdout).toBe(`${answer!.completion}\n`);
  });

  test('reads the prompt from stdin, and refuses an empty one', async () => {
    const args = ['generate', ...fp32, '--prompt', '-', '--json'];
    const { stdout } = await keel(args, { input: 'Why blue?\n' });
    expect(jsonLines(stdout)[0]).toMatchObject({ prompt: 'Why blue?' });
    const empty = await keel(args);
    expect(empty).toMatchObject({ code: 1, stdout: '' });
    expect(empty.stderr).toContain('--prompt -');
  });

  test('notes rows of plain text, and refuses text that belongs to their prompt', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('prompts.jsonl');
    const chat = { prompt: [{ role: 'user', content: 'hi' }] };
    const row = { prompt: 'hi', input: 'there' };
    const lines = [chat, { prompt: 'hi' }, row].map((one) => `${JSON.stringify(one)}\n`);
    writeFileSync(file, lines.slice(0, 2).join(''));
    const args = ['generate', ...fp32, '--prompts', file];
    const { code, stderr } = await keel(args);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/1 of 2 rows of .*prompts\.jsonl/);
    expect((await keel([...args, '--raw'])).stderr).not.toContain('rows of');
    writeFileSync(file, lines.join(''));
    const refused = await keel(args);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/prompts\.jsonl:3: field "input"/);
  });

  test('says what the chat template drops of the prompts, and so do best-of-n and tokens', async () => {
    using folder = new TemporaryFolder();
    const template = folder.file('deaf.jinja');
    writeFileSync(
      template,
      "{% for m in messages if m.role != 'tool' %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    );
    const file = folder.file('prompts.jsonl');
    const call = { type: 'function', function: { name: 'look', arguments: { at: 'sky' } } };
    const called = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', content: 'blue' },
    ];
    const rows = [{ prompt: called }, { prompt: called.slice(0, 1) }];
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const how = ['--chat-template', template];
    const { code, stderr } = await keel(['generate', ...fp32, '--prompts', file, ...how]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/1 of 2 prompts: .*earlier \(tool_calls\) and whole messages \(tool\)/);
    const best = await keel([
      ...['best-of-n', ...fp32, '--data', file, ...how, '--reward', 'length:1-9'],
      ...['--output', folder.file('best.jsonl'), '--num-generations', '2'],
    ]);
    expect(best.stdout + best.stderr).toMatch(/drops parts of some prompts .*tool message/);
    const model = ['--model', goldenPath('tiny-chat')];
    const shown = await keel(['tokens', '--data', file, '--for', 'generate', ...model, ...how]);
    expect(shown.stdout).toMatch(/drops whole messages \(tool\)/);
    expect(shown.stdout).toMatch(/before its answer \(tool_calls\)/);
  });

  test('names the place of a prompt that the model cannot take', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('prompts.jsonl');
    const long = 'long '.repeat(600);
    writeFileSync(file, `{"prompt":"hi"}\n${JSON.stringify({ prompt: long })}\n`);
    const { code, stderr } = await keel(['generate', ...fp32, '--prompts', file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/prompts\.jsonl:2: field "prompt": .*512/);
    const alone = await keel(['generate', ...fp32, '--prompt', long]);
    expect(alone.stderr).toMatch(/--prompt: .*512/);
  });

  test('answers the prompts of a file in order, several times, and the same in any batch', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('prompts.jsonl');
    const prompts = ['Why blue?', 'Name a window.', 'What is north, and why is it so?'];
    writeFileSync(file, prompts.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
    const args = ['generate', ...fp32, '--prompts', file, '--samples', '2', '--temperature', '1'];
    const [wide, narrow] = await Promise.all(
      ['16', '1'].map(async (size) =>
        jsonLines((await keel([...args, '--batch-size', size, '--json'])).stdout),
      ),
    );
    expect(wide!.map(({ row, sample }) => [row, sample])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
    ]);
    expect(wide!.map(({ prompt }) => prompt)).toEqual(
      prompts.flatMap((prompt) => [prompt, prompt]),
    );
    expect(narrow).toEqual(wide);
    expect(wide![0]!.completion).not.toBe(wide![1]!.completion);
  });

  test('the chat template and a system message change the prompt; --raw uses neither', async () => {
    const args = ['generate', ...fp32, '--prompt', 'Why blue?', '--json'];
    const answers = await Promise.all(
      [[], ['--raw'], ['--system', 'Be brief.']].map(async (more) => {
        const [answer] = jsonLines((await keel([...args, ...more])).stdout);
        return answer!.completion;
      }),
    );
    expect(new Set(answers).size).toBe(3);
    const both = await keel([...args, '--raw', '--system', 'x']);
    expect(both.code).toBe(2);
  });

  test('ends where a stop text starts', async () => {
    const args = ['generate', ...fp32, '--prompt', 'Why blue?', '--json'];
    const [whole] = jsonLines((await keel(args)).stdout) as { completion: string }[];
    const middle = whole!.completion.slice(3, 5);
    const [cut] = jsonLines((await keel([...args, '--stop', middle])).stdout);
    expect(cut).toMatchObject({
      finish_reason: 'stop_string',
      completion: whole!.completion.slice(0, whole!.completion.indexOf(middle)),
    });
  });
});

describe('keel generate --output', () => {
  const chat = [{ role: 'user', content: 'Why blue?' }];

  test('writes rows that sft, score and tokens read, with their other fields', async () => {
    using folder = new TemporaryFolder();
    const [prompts, output] = [folder.file('prompts.jsonl'), folder.file('out/rows.jsonl')];
    const rows = [
      { id: 12345678901234567890n, prompt: chat, chosen: [{ role: 'assistant', content: 'x' }] },
      { id: 2n, prompt: chat, reference: { text: 'Rayleigh' } },
    ];
    const text = rows.map((row) =>
      JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `#${value}#` : value)),
    );
    writeFileSync(prompts, text.map((line) => `${line.replace(/"#(\d+)#"/g, '$1')}\n`).join(''));
    const args = ['generate', ...fp32, '--prompts', prompts, '--output', output];
    const { code, stderr } = await keel(args);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('chosen');
    expect(stderr).toMatch(/\b2 of 2\b.*--on-bad-row skip/);
    const written = readFileSync(output, 'utf8');
    expect(written).toContain('"id":12345678901234567890');
    const found = jsonLines(written);
    expect(found).toMatchObject([
      { row: 0, prompt: chat, completion: [{ role: 'assistant' }], tokens: 8 },
      { row: 1, prompt: chat, reference: { text: 'Rayleigh' }, finish_reason: 'length' },
    ]);
    expect(found[0]).not.toHaveProperty('chosen');
    const model = ['--model', goldenPath('tiny-chat')];
    for (const verb of ['score', 'tokens']) {
      const read = await keel([verb, ...model, '--data', output, '--json']);
      expect(read.code, read.stderr).toBe(0);
    }
    const run = ['--output', folder.file('run'), '--max-steps', '1', '--lora'];
    const train = (data: string) => keel(['sft', ...model, '--data', data, ...run]);
    expect((await train(output)).stderr).toMatch(/rows\.jsonl:1.*finish_reason/);
    const ended = folder.file('ended.jsonl');
    writeFileSync(ended, written.replaceAll('"finish_reason":"length"', '"finish_reason":"stop"'));
    const taught = await train(ended);
    expect(taught.code, taught.stderr).toBe(0);
    const again = await keel(args);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/rows\.jsonl.*--overwrite/);
  });

  test('continues a plain prompt of a row as plain text; --wrap-chat makes a chat of it', async () => {
    using folder = new TemporaryFolder();
    const prompts = folder.file('prompts.jsonl');
    writeFileSync(prompts, '{"prompt":"Why blue?"}\n');
    const written = async (...more: string[]) => {
      const output = folder.file('rows.jsonl');
      const args = ['--prompts', prompts, '--output', output, '--overwrite', ...more];
      const { code, stderr } = await keel(['generate', ...fp32, ...args]);
      expect(code, stderr).toBe(0);
      return { row: jsonLines(readFileSync(output, 'utf8'))[0]!, stderr };
    };
    const plain = await written();
    expect(plain.row).toMatchObject({ prompt: 'Why blue?', completion: expect.any(String) });
    expect(plain.stderr).toContain('--wrap-chat');
    const wrapped = await written('--wrap-chat');
    expect(wrapped.row).toMatchObject({ prompt: chat, completion: [{ role: 'assistant' }] });
    expect(wrapped.stderr).not.toContain('--wrap-chat');
    const system = { role: 'system', content: 'Be brief.' };
    const both = await written('--wrap-chat', '--system', 'Be brief.');
    expect(both.row).toMatchObject({
      prompt: [system, ...chat],
      completion: [{ role: 'assistant' }],
    });
  });

  test('resumes after an interruption, with the rows of an uninterrupted command', async () => {
    using folder = new TemporaryFolder();
    const prompts = folder.file('prompts.jsonl');
    const asked = Array.from({ length: 40 }, (_, at) => [{ role: 'user', content: `Why ${at}?` }]);
    writeFileSync(prompts, asked.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
    const sampled = ['--samples', '2', '--temperature', '1', '--batch-size', '2'];
    const args = (name: string): string[] => [
      ...['generate', ...fp32, '--prompts', prompts, ...sampled, '--max-new-tokens', '40'],
      ...['--output', folder.file(name)],
    ];
    const whole = await keel(args('whole.jsonl'));
    expect(whole.code, whole.stderr).toBe(0);
    const output = folder.file('rows.jsonl');
    let child: { kill(signal: 'SIGINT'): boolean } | undefined;
    const timer = setInterval(() => {
      const partial = `${output}.partial`;
      if (!existsSync(partial) || jsonLines(readFileSync(partial, 'utf8')).length < 2) return;
      clearInterval(timer);
      child?.kill('SIGINT');
    }, 5);
    const stopped = await keel(args('rows.jsonl'), { onChild: (one) => (child = one) });
    clearInterval(timer);
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(existsSync(output)).toBe(false);
    expect(stopped.stdout).toMatch(/\d+ of 80 answers/);
    const other = await keel([...args('rows.jsonl'), '--seed', '7']);
    expect(other.stderr).toContain('--seed changed from 42 to 7');
    const resumed = await keel(args('rows.jsonl'));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain('rows.jsonl.partial');
    expect(readFileSync(output, 'utf8')).toBe(readFileSync(folder.file('whole.jsonl'), 'utf8'));
    expect(existsSync(`${output}.partial`)).toBe(false);
    expect(jsonLines(readFileSync(output, 'utf8'))).toHaveLength(80);
  });
});
