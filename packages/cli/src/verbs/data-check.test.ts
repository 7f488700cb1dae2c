import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { keel, TemporaryFolder } from '../testing/command-line.ts';

const model = ['--model', goldenPath('tiny-chat')];
const chats = `${goldenPath('trajectories/dpo-conversational-accumulate-2')}/train.jsonl`;

/** Calls `keel data check` on rows, each an object or a line. */
async function check(rows: readonly (object | string)[], ...flags: string[]) {
  using folder = new TemporaryFolder();
  const data = folder.file('rows.jsonl');
  const lines = rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row)));
  writeFileSync(data, lines.map((line) => `${line}\n`).join(''));
  const withModel = flags.includes('--model') ? [] : model;
  const { code, stdout, stderr } = await keel(['data', 'check', data, ...withModel, ...flags]);
  return { code, stderr, text: stdout.replaceAll(data, 'rows.jsonl') };
}

const facts = async (rows: readonly (object | string)[], ...flags: string[]) => {
  const { code, text, stderr } = await check(rows, ...flags, '--json');
  return { code, stderr, found: JSON.parse(text) };
};

const pair = (prompt: string, chosen: string, rejected: string) => ({ prompt, chosen, rejected });
const codesOf = (found: { warnings: { code: string }[] }) => found.warnings.map(({ code }) => code);

describe('keel data check', () => {
  test('describes chats for people: rows, lengths, duplicates, pairs', async () => {
    const { code, stdout, stderr } = await keel(['data', 'check', chats, ...model]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^ {2}\d+ pairs, all chats$/m);
    expect(stdout).toContain('keel dpo');
    expect(stdout).toMatch(/^ {2}prompt +\d+ +\d+ +\d+ +\d+$/m);
    expect(stdout).toMatch(/█ \d+$/m);
    expect(stdout).not.toContain('\x1b');
  });

  test('lists every error with its line, and groups them', async () => {
    const rows = [
      '{"prompt": ',
      pair('a', 'b', 'c'),
      pair('a', 'b', 'b'),
      pair('d', '', 'c'),
      pair('e', '', 'c'),
      { prompt: 'f', completion: 'g', label: true },
    ];
    const { code, found } = await facts(rows);
    expect(code).toBe(1);
    const { errors } = found;
    expect(errors.training.count).toBe(5);
    expect(errors.training.identical_answers).toBe(1);
    const places = errors.training.rows.map(({ place }: { place: string }) => place);
    expect(places.map((place: string) => Number(/:(\d+)$/.exec(place)![1]))).toEqual([
      1, 3, 4, 5, 6,
    ]);
    const [most] = errors.training.groups;
    expect(most).toMatchObject({ field: 'chosen', count: 2 });
    expect(found.other_verbs).toEqual([{ verb: 'kto', rows: 1 }]);

    const short = await check(rows, '--max-errors', '2');
    expect(short.code).toBe(1);
    expect(short.text).toMatch(/rows\.jsonl:1: .*\n.*rows\.jsonl:3: .*\n.* 3 more.*--max-errors/);
    const all = await check(rows, '--max-errors', 'none');
    expect(all.text).toMatch(/^ {2}rows\.jsonl:4, 5: field "chosen"/m);
    expect(all.text).toMatch(/^ {2}rows\.jsonl:6: field "chosen"/m);
  });

  test('counts rows that are cut or skipped, with the lengths that they have', async () => {
    const says = (words: number) => 'word '.repeat(words);
    const rows = [
      { prompt: 'a', completion: says(2) },
      { prompt: 'a', completion: says(100) },
      { prompt: says(100), completion: 'b' },
    ];
    const whole = await facts(rows, '--max-length', 'none');
    const { found, code } = await facts(rows, '--max-length', '40');
    expect(code).toBe(0);
    expect(found).toMatchObject({ verb: 'sft', guessed: true, max_length: 40 });
    expect(found.use.training).toEqual({ cut: 1, too_long: 1, bad: 0 });
    expect(found.lengths.training.unit).toBe('tokens');
    expect(found.lengths).toEqual(whole.found.lengths);
    expect(found.lengths.training.rows.max).toBeGreaterThan(40);
    expect(codesOf(found)).toEqual(expect.arrayContaining(['cut', 'too-long', 'plain-rows']));
    const wrapped = await facts(rows, '--wrap-chat');
    expect(codesOf(wrapped.found)).not.toContain('plain-rows');
    expect(wrapped.found.training.chats).toBe(3);
  });

  test('compares held-out rows with training rows; --strict makes warnings fail', async () => {
    using folder = new TemporaryFolder();
    const held = folder.file('held.jsonl');
    const user = (content: string) => [{ role: 'user', content }];
    const assistant = (content: string) => [{ role: 'assistant', content }];
    const row = (asked: string, answer: string) => ({
      prompt: user(asked),
      completion: assistant(answer),
    });
    const rows = [row('What is a noun?', 'A word.'), row('What is a verb?', 'A word.')];
    writeFileSync(held, `${JSON.stringify(row('What is a  NOUN?', 'Something.'))}\n`);
    const { code, found } = await facts(rows, '--eval-data', held);
    expect(code).toBe(0);
    expect(found.overlap.prompts.examples[0].row).toBe(`${held}:1`);
    expect(codesOf(found)).toEqual(['held-out-prompts']);
    expect((await facts(rows, '--eval-data', held, '--strict')).code).toBe(1);
    expect((await facts(rows, '--strict')).code).toBe(0);
  });

  test('reads rows as a verb does, and says what it refuses as a whole', async () => {
    const labelled = [1, 2].map((at) => ({ prompt: `q${at}`, completion: 'a', label: true }));
    const { code, found } = await facts(labelled);
    expect(code).toBe(1);
    expect(found).toMatchObject({ verb: 'kto', errors: { training: { count: 0 } } });
    expect(found.refusals[0]).toMatch(/label.*true/);
    const asSft = await facts(labelled, '--for', 'sft');
    expect(asSft).toMatchObject({ code: 0, found: { verb: 'sft', guessed: false } });
    const asPrompts = await facts(labelled, '--for', 'grpo', '--max-new-tokens', '8');
    expect(asPrompts.found.lengths.training).toMatchObject({
      answers: null,
      prompts: { count: 2 },
    });
  });

  test('needs no model: lengths are then in characters', async () => {
    const { code, found } = await facts([pair('a', 'bc', 'd')], '--model', 'none');
    expect(code).toBe(0);
    expect(found).toMatchObject({ model: null, use: null });
    expect(found.lengths.training).toMatchObject({ unit: 'characters', answers: { max: 2 } });
  });

  test('chats without a chat template are refused', async () => {
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ];
    using folder = new TemporaryFolder();
    const bare = folder.file('bare');
    cpSync(goldenPath('tiny-chat'), bare, { recursive: true });
    const config = `${bare}/tokenizer_config.json`;
    const { chat_template: _, ...without } = JSON.parse(readFileSync(config, 'utf8'));
    for (const path of [config, `${bare}/chat_template.jinja`]) {
      if (existsSync(path)) rmSync(path);
    }
    writeFileSync(config, JSON.stringify(without));
    const { code, found } = await facts([{ messages }], '--model', bare);
    expect(code).toBe(1);
    expect(found.refusals[0]).toMatch(/chat template/);
  });

  test('an empty file is an error that names it', async () => {
    const { code, stderr, text } = await check([]);
    expect(code).toBe(1);
    expect(stderr).toContain('rows.jsonl');
    expect(text).toBe('');
  });
});
