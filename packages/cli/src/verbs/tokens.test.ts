import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const model = ['--model', goldenPath('tiny-chat')];
const chats = `${goldenPath('trajectories/dpo-conversational-accumulate-2')}/train.jsonl`;

interface Part {
  tokens: number[];
  texts: string[];
  scored: boolean[];
}

describe('keel tokens', () => {
  test('shows the tokens of rows as JSON', async () => {
    const { code, stdout, stderr } = await keel([
      'tokens',
      ...model,
      '--data',
      chats,
      '--rows',
      '2',
      '--json',
    ]);
    expect(code, stderr).toBe(0);
    const rows = jsonLines(stdout);
    expect(rows.map(({ row }) => row)).toEqual([0, 1]);
    const { prompt, chosen, rejected, truncated } = rows[0] as Record<string, unknown> &
      Record<'prompt' | 'chosen' | 'rejected', Part>;
    expect(prompt.texts.join('')).toBe(
      '<|im_start|>user\nWhy blue?<|im_end|>\n<|im_start|>assistant\n',
    );
    expect(chosen.texts.join('')).toBe('I like the river quiet.<|im_end|>\n');
    expect(rejected.texts.join('')).toMatch(/^The seven is paper\..*<\|im_end\|>\n$/);
    expect(prompt.scored.some(Boolean)).toBe(false);
    expect(chosen.scored.every(Boolean)).toBe(true);
    expect(chosen.tokens).toHaveLength(chosen.texts.length);
    expect(truncated).toBe(false);
  });

  test('shows them for people: parts, counts, ids, stars on scored tokens', async () => {
    const { code, stdout } = await keel(['tokens', ...model, '--data', chats]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^row 0 \(.*train\.jsonl:1\): \d+ tokens in the packed batch$/m);
    expect(stdout).toMatch(/^ {2}prompt: \d+ tokens, 0 scored\n {4}"<\|im_start\|>" \d+/m);
    expect(stdout).toMatch(/^ {2}chosen: (\d+) tokens, \1 scored\n {4}\*"/m);
    expect(stdout).not.toContain('\x1b');
  });

  test('names ids for which the model has no embedding', async () => {
    using folder = new TemporaryFolder();
    const small = folder.file('small');
    cpSync(goldenPath('tiny-chat'), small, { recursive: true });
    const config = JSON.parse(readFileSync(`${small}/config.json`, 'utf8'));
    rmSync(`${small}/config.json`);
    const text = ['tokens', '--text', 'user'];
    const whole = await keel([...text, ...model, '--json']);
    const [found] = jsonLines(whole.stdout) as [{ text: { tokens: number[] } }];
    const id = Math.max(...found.text.tokens);
    writeFileSync(`${small}/config.json`, JSON.stringify({ ...config, vocab_size: id }));
    const args = [...text, '--model', small];
    const { stdout } = await keel([...args, '--json']);
    expect(jsonLines(stdout)[0]).toMatchObject({ unknown: [id] });
    expect((await keel(args)).stdout).toMatch(new RegExp(`embedding .*\\b${id}\\b`));
  });

  test('reports rows that were cut or do not fit', async () => {
    const cut = await keel(['tokens', ...model, '--data', chats, '--max-length', '30', '--json']);
    expect(jsonLines(cut.stdout)[0]).toMatchObject({ truncated: true });
    const left = await keel(['tokens', ...model, '--data', chats, '--max-length', '5']);
    expect(left.stdout).toContain('skipped, it does not fit within --max-length 5');
  });

  test('shows the answers of rankings, the best first, and prompts alone', async () => {
    using folder = new TemporaryFolder();
    const data = folder.file('rows.jsonl');
    const shown = (row: object) => {
      writeFileSync(data, `${JSON.stringify(row)}\n`);
      return keel(['tokens', ...model, '--data', data]);
    };
    const ranking = await shown({
      prompt: 'hi',
      completions: ['a', 'a b c d e f g h'],
      scores: [1, 2],
    });
    const counts = /answer 1 \(rank 1\): (\d+) tokens[\s\S]*answer 2 \(rank 2\): (\d+) tokens?,/;
    const [, best, worst] = counts.exec(ranking.stdout)!.map(Number);
    expect(best).toBeGreaterThan(worst!);
    const prompt = await shown({ prompt: [{ role: 'user', content: 'hi' }], solution: '4' });
    expect(prompt.stdout).toMatch(/prompt: \d+ tokens, 0 scored/);
    const broken = await shown({ prompt: 'hi', chosen: 'yes' });
    expect(broken).toMatchObject({ code: 1, stdout: '' });
    expect(broken.stderr).toContain('field "rejected"');
  });

  test("shows a verb's view of a row", async () => {
    using folder = new TemporaryFolder();
    const data = folder.file('rows.jsonl');
    const prompt = [{ role: 'user', content: 'hi' }];
    const answer = (content: string) => [{ role: 'assistant', content }];
    const row = { prompt, chosen: answer('a b'), rejected: answer('c') };
    writeFileSync(data, `${JSON.stringify(row)}\n`);
    const shown = async (verb: string) => {
      const { stdout } = await keel(['tokens', ...model, '--data', data, '--for', verb, '--json']);
      return jsonLines(stdout)[0] as Record<string, Part>;
    };
    const [dpo, reward, sampled] = [await shown('dpo'), await shown('reward'), await shown('grpo')];
    expect(dpo.chosen!.scored).not.toContain(false);
    // A reward model reads one score, at the last token.
    expect(reward.chosen!.tokens).toEqual(dpo.chosen!.tokens);
    expect(reward.chosen!.scored.indexOf(true)).toBe(reward.chosen!.tokens.length - 1);
    expect(sampled.prompt!.tokens).toEqual(dpo.prompt!.tokens);
    const wrong = await keel(['tokens', ...model, '--data', data, '--for', 'kto']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('rows.jsonl:1');
  });

  test('shows which turns of a chat are scored, and a text', async () => {
    using folder = new TemporaryFolder();
    const data = folder.file('rows.jsonl');
    const turn = (role: string, content: string) => ({ role, content });
    const messages = [turn('user', 'Why?'), turn('assistant', 'No.'), turn('user', 'Oh')];
    messages.push(turn('assistant', 'Yes.'));
    const rows = [{ messages }, { text: 'The sky' }];
    writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const args = [...model, '--data', data, '--rows', '2', '--json'];
    const { code, stdout, stderr } = await keel(['tokens', ...args]);
    expect(code, stderr).toBe(0);
    const [chat, plain] = jsonLines(stdout) as unknown as [{ messages: Part }, { text: Part }];
    const scored = ({ texts, scored: one }: Part) => texts.filter((_, at) => one[at]).join('');
    expect(scored(chat.messages)).toBe('No.<|im_end|>\nYes.<|im_end|>\n');
    expect(chat.messages.texts.join('')).toContain('<|im_start|>user\nOh<|im_end|>\n');
    // Nothing predicts the first token of a text.
    expect(plain.text.scored).toEqual(plain.text.tokens.map((_, at) => at > 0));
  });

  test('shows a text', async () => {
    const { stdout } = await keel(['tokens', ...model, '--text', 'Why blue?', '--json']);
    const [{ text }] = jsonLines(stdout) as unknown as [{ text: Part }];
    expect(text.texts.join('')).toBe('Why blue?');
    expect(text.tokens.every(Number.isInteger)).toBe(true);
  });
});
