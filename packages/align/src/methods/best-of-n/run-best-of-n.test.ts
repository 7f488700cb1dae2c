import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  randomTensors,
  writeTinyModel,
} from '../../../../model/src/loading/fixtures/tiny-models.ts';
import { parseRow } from '../../data/parse-row.ts';
import {
  tinyChatTokenizer,
  tinyTemplate,
  writeTinyChatModel,
} from '../../testing/tiny-chat-model.ts';
import { writePrompts } from '../online/fixtures/prompt-files.ts';
import type { BestOfNOptions } from './best-of-n-options.ts';
import { runBestOfN } from './run-best-of-n.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-best-of-n-'));
const inside = (name: string): string => join(folder, name);
let data: string;
let reward: string;
let files = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writePrompts(folder);
  reward = inside('letters.mjs');
  writeFileSync(reward, 'export default ({ text }) => text.length / 10;\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Own = Partial<BestOfNOptions> &
  Partial<Pick<BestOfNOptions['sampling'], 'maxNewTokens' | 'minNewTokens' | 'seed'>>;
const optionsOf = ({
  maxNewTokens = 12,
  minNewTokens = 0,
  seed = 3,
  ...own
}: Own = {}): BestOfNOptions => ({
  ...{ model: inside('model'), adapter: null, precision: 'fp32', device: 'cpu', threads: 1 },
  ...{ data: [data], onBadRow: 'fail', reward, unsafeCode: false, missingEosPenalty: 0 },
  ...{ rewardConcurrency: 16, rewardTimeout: null },
  numGenerations: 4,
  sampling: {
    ...{ maxNewTokens, minNewTokens, temperature: 1, seed },
    ...{ topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
    stopStrings: [],
  },
  // Chunks of two prompts.
  batchSize: 2,
  ...{ output: inside(`out-${files++}.jsonl`), write: 'best', overwrite: false },
  ...own,
});
type Line = Record<string, unknown> & { row: number; scores: number[]; score: number };
const linesOf = (path: string): Line[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('runBestOfN', () => {
  it('writes rows of each form from the same answers', async () => {
    const before = await liveMemory();
    const results = [];
    for (const write of ['best', 'all', 'pairs'] as const) {
      results.push(await runBestOfN(optionsOf({ write })));
    }
    expect(await liveMemory()).toEqual(before);
    const [best, all, pairs] = results.map(({ output }) => linesOf(output));
    expect(best!.map(({ row }) => row)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const [at, { row, score }] of best!.entries()) {
      const { scores } = all!.find((line) => line.row === row)!;
      expect(score).toBe(Math.max(...scores));
      expect(() => parseRow('supervised', best![at], { file: 'best' })).not.toThrow();
    }
    for (const line of pairs!) {
      const { scores } = all!.find(({ row }) => row === line.row)!;
      expect(line.score_chosen).toBe(Math.max(...scores));
      expect(line.score_rejected).toBe(Math.min(...scores));
      expect(() => parseRow('preference', line, { file: 'pairs' })).not.toThrow();
    }
    const [{ summary, interrupted, rows }] = results as [(typeof results)[number]];
    expect([interrupted, rows]).toEqual([false, 6]);
    expect(summary!.answers).toBe(24);
    const sumOf = (values: number[]): number => values.reduce((sum, one) => sum + one);
    // The file has no empty answers; this reward scores them 0.
    const earned = sumOf(all!.flatMap(({ scores }) => scores));
    expect(summary!.curve[0]!.reward).toBeCloseTo(earned / 24, 12);
    expect(summary!.curve[3]!.reward).toBeCloseTo(sumOf(best!.map(({ score }) => score)) / 6, 12);
    expect(existsSync(`${results[0]!.output}.partial`)).toBe(false);
  });

  it('carries the other columns of rows, and says which of them it does not', async () => {
    const path = inside('columns.jsonl');
    const rows = [
      { prompt: 'hello', id: 1, answer: '4', chosen: 'x', rejected: 'y' },
      { prompt: 'who', id: 2, context: 'Not in the prompt.', finish_reason: 'length' },
    ];
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const notices: string[] = [];
    const options = optionsOf({ data: [path], maxNewTokens: 64 });
    const {
      output,
      rows: count,
      cutOff,
    } = await runBestOfN(options, {
      onNotice: (text) => notices.push(text),
    });
    const lines = linesOf(output);
    expect(lines.map(({ id, answer }) => [id, answer])).toEqual([
      [1, '4'],
      [2, undefined],
    ]);
    for (const line of lines) {
      expect(line).not.toHaveProperty('chosen');
      expect(line).not.toHaveProperty('context');
    }
    expect(notices).toContainEqual(expect.stringMatching(/chosen, rejected, context/));
    const cut = lines.filter(({ finish_reason: reason }) => reason === 'length');
    expect([count, cutOff]).toEqual([2, cut.length]);
  });

  it('starts the answers to chats with what the generation prompt opened', async () => {
    const chatTemplate = inside('think.jinja');
    const opening = tinyTemplate.replace(
      "assistant\\n' }}{% endif",
      "assistant\\n<think>' }}{% endif",
    );
    writeFileSync(chatTemplate, opening);
    const { output } = await runBestOfN(optionsOf({ chatTemplate }));
    for (const { prompt, completion } of linesOf(output)) {
      if (typeof prompt === 'string') expect(completion).not.toMatch(/^<think>/);
      else expect(completion).toMatchObject([{ content: expect.stringMatching(/^<think>/) }]);
    }
  });

  it('writes the template variables of all rows to each chat', async () => {
    const chatTemplateKwargs = '{"thinking": false}';
    const { output } = await runBestOfN(optionsOf({ chatTemplateKwargs }));
    for (const { prompt, chat_template_kwargs: variables } of linesOf(output)) {
      expect(variables).toEqual(typeof prompt === 'string' ? undefined : { thinking: false });
    }
  });

  it('refuses rows that are marked as not to be used', async () => {
    const marked = inside('marked.jsonl');
    writeFileSync(marked, '{"prompt": "Hello", "train": false}\n');
    await expect(runBestOfN(optionsOf({ data: [marked] }))).rejects.toMatchObject({
      field: 'train',
    });
  });

  it('leaves arguments of calls that are text as they are written', async () => {
    const called = { name: 'f', arguments: '{"b":1,  "a":2.0}' };
    const prompt = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: '', tool_calls: [{ function: called }] },
      { role: 'user', content: 'there' },
    ];
    const calls = inside('calls.jsonl');
    writeFileSync(calls, `${JSON.stringify({ prompt })}\n`);
    const { output } = await runBestOfN(optionsOf({ data: [calls], write: 'all' }));
    expect(linesOf(output)).toMatchObject([{ prompt }]);
  });

  it('creates the folder, and refuses a second process for the same file', async () => {
    const output = inside(`new-${files++}/out.jsonl`);
    const options = optionsOf({ output });
    let second: Promise<unknown> | null = null;
    await runBestOfN(options, {
      onProgress: () => {
        second ??= runBestOfN(options).catch(({ message }) => message);
      },
    });
    expect(await second).toBe(
      `${output}: process ${process.pid} writes to it. Wait for it, or stop it`,
    );
    expect(linesOf(output)).toHaveLength(6);
    expect(readdirSync(dirname(output))).toEqual(['out.jsonl']);
    await expect(runBestOfN(options)).rejects.toThrow('--overwrite');
  });

  it('samples other answers with another seed', async () => {
    const texts = async (seed: number): Promise<string> =>
      readFileSync((await runBestOfN(optionsOf({ seed, write: 'all' }))).output, 'utf8');
    const [one, same, other] = [await texts(1), await texts(1), await texts(2)];
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });

  it('the same call resumes after any stop and writes the same file', async () => {
    const whole = await runBestOfN(optionsOf());
    const options = optionsOf();
    const done: number[] = [];
    // In the first chunk, in the second, and after the second's last answer.
    for (const after of [3, 11, 16]) {
      const controller = new AbortController();
      const { interrupted, ...result } = await runBestOfN(options, {
        signal: controller.signal,
        onProgress: ({ answers }) => void (answers >= after && controller.abort()),
      });
      expect(interrupted).toBe(true);
      expect(existsSync(options.output)).toBe(false);
      done.push(result.done);
    }
    expect(done).toEqual([0, 2, 4]);
    const notices: string[] = [];
    const progress: number[] = [];
    const ended = await runBestOfN(options, {
      onNotice: (text) => void notices.push(text),
      onProgress: ({ answers }) => void progress.push(answers),
    });
    expect(notices).toEqual([expect.stringMatching(/\b4 prompts/)]);
    expect(progress[0]).toBe(16);
    expect(readFileSync(options.output)).toEqual(readFileSync(whole.output));
    expect(ended.summary).toEqual(whole.summary);
  });

  it('refuses the journal of another job, and an existing result', async () => {
    const options = optionsOf();
    const controller = new AbortController();
    await runBestOfN(options, {
      signal: controller.signal,
      onProgress: ({ answers }) => void (answers >= 9 && controller.abort()),
    });
    await expect(runBestOfN({ ...options, numGenerations: 8 })).rejects.toThrow(
      /--num-generations .* 4 to 8/,
    );
    await expect(
      runBestOfN({ ...options, sampling: { ...options.sampling, minNewTokens: 2 } }),
    ).rejects.toThrow(/--min-new-tokens .* 0 to 2/);
    // The form of the output may change.
    const all = await runBestOfN({ ...options, write: 'all' });
    expect(linesOf(all.output)[0]!.scores).toHaveLength(4);
    await expect(runBestOfN(options)).rejects.toThrow(/--overwrite/);
    await runBestOfN({ ...options, overwrite: true });
    expect(linesOf(options.output)[0]!.score).toBe(
      Math.max(
        ...linesOf(all.output)
          .map(({ score }) => score)
          .slice(0, 1),
      ),
    );
  });

  it('resumes with the date that its template first printed', async () => {
    const chatTemplate = inside('dated.jinja');
    writeFileSync(chatTemplate, `{{ strftime_now('%d %B %Y') }}${tinyTemplate}`);
    const prompts = inside('chats.jsonl');
    const chats = ['hello', 'world day', 'wo', 'é'].map((content) => ({
      prompt: [{ role: 'user', content }],
    }));
    writeFileSync(prompts, chats.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const own = { data: [prompts], chatTemplate, write: 'all' as const };
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(2026, 10, 28, 12) });
    try {
      const whole = await runBestOfN(optionsOf(own));
      const options = optionsOf(own);
      const controller = new AbortController();
      await runBestOfN(options, {
        signal: controller.signal,
        onProgress: ({ answers }) => void (answers >= 8 && controller.abort()),
      });
      vi.setSystemTime(new Date(2027, 0, 5));
      const notices: string[] = [];
      await expect(runBestOfN({ ...options, templateDate: '2027-01-05' })).rejects.toThrow(
        /--template-date .*2026-11-28T12:00:00 to 2027-01-05T00:00:00/,
      );
      await runBestOfN(options, { onNotice: (text) => void notices.push(text) });
      expect(notices.join()).toContain('2026-11-28T12:00:00');
      expect(readFileSync(options.output)).toEqual(readFileSync(whole.output));
    } finally {
      vi.useRealTimers();
    }
  });

  it('includes the penalty for truncated answers in their scores', async () => {
    const short = { maxNewTokens: 2, write: 'all' as const };
    const plain = linesOf((await runBestOfN(optionsOf(short))).output);
    const dear = linesOf((await runBestOfN(optionsOf({ ...short, missingEosPenalty: 5 }))).output);
    const lost = plain.flatMap(({ scores }, at) =>
      scores.map((one, place) => one - dear[at]!.scores[place]!),
    );
    expect(new Set(lost.map((one) => Math.round(one)))).toContain(5);
    expect(lost.every((one) => Math.abs(one) < 1e-9 || Math.abs(one - 5) < 1e-9)).toBe(true);
  });

  it('names a row that the chat template refuses, or skips and counts it', async () => {
    const chatTemplate = inside('strict.jinja');
    writeFileSync(
      chatTemplate,
      `{% if messages[0].content == 'x' %}{{ raise_exception('no x') }}{% endif %}${tinyTemplate}`,
    );
    const rows = ['wo', 'x', 'day'].map((content) => ({ prompt: [{ role: 'user', content }] }));
    const chats = inside('chats.jsonl');
    writeFileSync(chats, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const own = { data: [chats], chatTemplate, maxNewTokens: 3, reward: 'length:-20' };
    await expect(runBestOfN(optionsOf(own))).rejects.toThrow(/chats\.jsonl:2: .*no x/);
    const { summary, done } = await runBestOfN(optionsOf({ ...own, onBadRow: 'skip' }));
    expect(done).toBe(3);
    expect(summary).toMatchObject({ prompts: 2, leftOut: 0, badRows: 1 });
    expect(summary!.firstFault).toMatch(/chats\.jsonl:2: .*no x/);
  });

  it('names the row with a token that the model has no embedding for, or skips it', async () => {
    const tokenizer = tinyChatTokenizer();
    const highest = (text: string): number => Math.max(...tokenizer.encode(text));
    const [low, ...others] = ['wo', 'day', '1234', 'é', 'world'].sort(
      (a, b) => highest(a) - highest(b),
    );
    const high = others.at(-1)!;
    const last = highest(high);
    const json = {
      ...JSON.parse(readFileSync(inside('model/config.json'), 'utf8')),
      vocab_size: last,
    };
    cpSync(inside('model'), inside('small'), { recursive: true });
    writeTinyModel(inside('small'), json, randomTensors(json, 1));
    const prompts = inside('unknown.jsonl');
    const rows = [{ prompt: low }, { prompt: high }];
    writeFileSync(prompts, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const own = { model: inside('small'), data: [prompts], maxNewTokens: 3 };
    await expect(runBestOfN(optionsOf(own))).rejects.toThrow(/unknown\.jsonl:2: field "prompt"/);
    const { summary } = await runBestOfN(optionsOf({ ...own, onBadRow: 'skip' }));
    expect(summary).toMatchObject({ prompts: 1, leftOut: 0, badRows: 1 });
  });

  it('counts prompts that leave no room, and names a row whose answer cannot be scored', async () => {
    const long = inside('long.jsonl');
    const rows = [{ prompt: 'x '.repeat(3000) }, { prompt: 'wo day' }];
    writeFileSync(long, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const result = await runBestOfN(optionsOf({ data: [long], reward: 'length:-20' }));
    expect(result).toMatchObject({ rows: 1, done: 2, summary: { prompts: 1, leftOut: 1 } });
    const broken = inside('broken.mjs');
    writeFileSync(broken, `export default () => { throw new Error('no idea'); };\n`);
    await expect(runBestOfN(optionsOf({ reward: broken }))).rejects.toThrow(
      /prompts\.jsonl:1, answer ".*": .*no idea/,
    );
  });
});
