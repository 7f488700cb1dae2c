import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openRows } from '../data/open-rows.ts';
import type { Judge, JudgedPair } from '../judges/judge.ts';
import type { LabelOptions } from './label-options.ts';
import { runLabel } from './run-label.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-label-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inside = (name: string): string => join(folder, name);
const written = (name: string, rows: readonly object[]): string => {
  const path = inside(name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
};

let asked: JudgedPair[];
let files = 0;
beforeEach(() => {
  asked = [];
});

/** Prefers the answer with more of the letter a; the first answer has a small advantage. */
const judge = (own: Partial<Judge> = {}): Judge => ({
  ...{ name: 'letters', identity: 'letters', concurrency: 2, seesOrder: true },
  isAskedInWords: true,
  async compare(pair) {
    asked.push(pair);
    const [a, b] = pair.answers.map((answer) => String(answer).split('a').length);
    const usage = { promptTokens: 0, answerTokens: 0, cost: 0 };
    const first = 1 / (1 + Math.exp(b! - a! - 0.5));
    return { first, tie: 0, exchanges: [], usage };
  },
  async [Symbol.asyncDispose]() {},
  ...own,
});

const constitution = inside('two.json');
writeFileSync(constitution, '["Which is kinder?", "Which is safer?"]');
const optionsOf = (own: Partial<LabelOptions>): LabelOptions => ({
  ...{ judge: judge(), data: [], onBadRow: 'fail', constitution, principlesPerPair: null },
  ...{
    pairing: 'drawn',
    lengthGuard: 0,
    pairsPerPrompt: 1,
    clamp: [0, 1],
    human: null,
    seed: 1,
    overwrite: false,
  },
  output: inside(`out-${files++}.jsonl`),
  ...own,
});
const read = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const pairs = [
  { prompt: 'p1', chosen: 'aaa', rejected: 'b' },
  { prompt: 'p2', chosen: 'b', rejected: 'aa', id: 7 },
  { prompt: 'p3', chosen: 'ab', rejected: 'ba' },
];

describe('keel label', () => {
  it('labels only so many pairs, and prompts of best-worst', async () => {
    const data = [written('pairs.jsonl', pairs)];
    const options = optionsOf({ data, limit: 2 });
    const { summary } = await runLabel(options);
    expect(read(options.output).map(({ prompt }) => prompt)).toEqual(['p1', 'p2']);
    expect(summary).toMatchObject({ pairs: 2, rows: 2 });
    const rows = ['p1', 'p2', 'p3'].map((prompt) => ({ prompt, completions: ['a', 'aa'] }));
    const rate = async () => ({ score: asked.push({} as JudgedPair), exchanges: [], usage });
    const usage = { promptTokens: 0, answerTokens: 0, cost: 0 };
    const best = optionsOf({ data: [written('many.jsonl', rows)], limit: 1 });
    const other = { judge: judge({ rate }), pairing: 'best-worst' as const, constitution: null };
    const notices: string[] = [];
    const stop = new AbortController();
    const hooks = { signal: stop.signal, onNotice: (text: string) => notices.push(text) };
    const all = { ...best, ...other, limit: null, output: `${best.output}-all.jsonl` };
    await runLabel(all, { ...hooks, onProgress: ({ pairs }) => pairs > 0 && stop.abort() });
    await runLabel(all, { onNotice: hooks.onNotice });
    expect(notices.filter((text) => /^Resuming after \d prompts/.test(text))).toHaveLength(1);
    const rated = await runLabel({ ...best, ...other });
    expect(rated.summary).toMatchObject({ pairs: 1, rows: 1 });
  });

  it('lets what is said of an answer change places with it, and counts cut answers', async () => {
    const of = (chosen: string, rejected: string, cut: object) => ({
      ...{ prompt: 'p', chosen, rejected, chosen_model: 'm', rejected_model: 'n' },
      ...cut,
    });
    const data = written('cut.jsonl', [
      of('aaa', 'b', { chosen_finish_reason: 'length' }),
      of('b', 'aaa', { chosen_finish_reason: 'length', rejected_finish_reason: 'stop' }),
      of('b', 'aa', { chosen_finish_reason: 'stop' }),
    ]);
    const options = optionsOf({ data: [data] });
    const { summary } = await runLabel(options);
    expect(read(options.output)).toMatchObject([
      { chosen: 'aaa', chosen_model: 'm', rejected_model: 'n', chosen_finish_reason: 'length' },
      {
        ...{ chosen: 'aaa', chosen_model: 'n', rejected_model: 'm' },
        ...{ chosen_finish_reason: 'stop', rejected_finish_reason: 'length' },
      },
      { chosen: 'aa', chosen_model: 'n', rejected_finish_reason: 'stop' },
    ]);
    expect(summary).toMatchObject({ rows: 3, cutOff: 2 });
  });

  it('says of sampled answers why they ended, in rows with one answer and in lists', async () => {
    const answers = [
      { prompt: 'p', completion: 'b', finish_reason: 'stop' },
      { prompt: 'p', completion: 'aaa', finish_reason: 'length' },
      { prompt: 'q', completion: 'a', finish_reason: 'length' },
      { prompt: 'q', completion: 'bb', finish_reason: 'length' },
    ];
    const lists = [
      { prompt: 'p', completions: ['b', 'aaa'], finish_reasons: ['stop', 'length'] },
      { prompt: 'q', completions: ['a', 'bb'], finish_reasons: ['length', 'length'] },
    ];
    for (const [name, rows] of Object.entries({ answers, lists })) {
      const options = optionsOf({ data: [written(`${name}.jsonl`, rows)] });
      const { summary } = await runLabel(options);
      const [first, second] = read(options.output);
      expect(first).toMatchObject({
        ...{ chosen: 'aaa', chosen_finish_reason: 'length', rejected_finish_reason: 'stop' },
      });
      expect(second).toMatchObject({
        ...{ chosen_finish_reason: 'length', rejected_finish_reason: 'length' },
      });
      expect(first).not.toHaveProperty('finish_reason');
      expect(first).not.toHaveProperty('finish_reasons');
      expect(summary).toMatchObject({ rows: 2, cutOff: 2 });
    }
  });

  it('labels pairs with probabilities that no order changes', async () => {
    const options = optionsOf({ data: [written('pairs.jsonl', pairs)] });
    const { summary } = await runLabel(options);
    const rows = read(options.output);
    expect(rows.map(({ chosen }) => chosen)).toEqual(['aaa', 'aa', 'ab']);
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    const expected = (lead: number): number => (sigmoid(lead + 0.5) + 1 - sigmoid(-lead + 0.5)) / 2;
    expect(rows[0].label_probability).toBeCloseTo(expected(3), 12);
    expect(rows[1].label_probability).toBeCloseTo(expected(2), 12);
    expect(rows[2].label_probability).toBeCloseTo(0.5, 12);
    expect(rows[1]).toMatchObject({ row: 1, labelled_by: 'judge', prompt: 'p2' });
    expect(Object.keys(rows[0].principles)).toEqual(['preference-1', 'preference-2']);
    // Two orders, two principles.
    expect(asked).toHaveLength(12);
    expect(new Set(asked.map(({ instructions }) => instructions)).size).toBe(2);
    expect(summary).toMatchObject({ pairs: 3, rows: 3, unlabelled: 0, ordersAgree: { count: 6 } });
    expect(summary!.given).toMatchObject({ count: 3, value: (1 + 0 + 0.5) / 3 });
    // Every verb that trains on pairs reads them.
    await using source = await openRows(options.output, { kind: 'preference' });
    expect((await source.read(0)).label_probability).toBe(rows[0].label_probability);
  });

  it('draws pairs of several answers, listed or one a row, without equal ones', async () => {
    const listed = [
      { prompt: 'p1', completions: ['a', 'aa', 'a', 'aaa'] },
      { prompt: 'p2', completions: ['a', 'a'] },
    ];
    const one = optionsOf({ data: [written('listed.jsonl', listed)], pairsPerPrompt: 5 });
    expect((await runLabel(one)).summary).toMatchObject({
      pairs: 3,
      rows: 3,
      single: 1,
      given: null,
    });
    const texts = read(one.output).map(({ chosen, rejected }) => `${rejected}<${chosen}`);
    expect(texts.sort()).toEqual(['a<aa', 'a<aaa', 'aa<aaa']);
    const single = listed.flatMap(({ prompt, completions }) =>
      completions.map((completion, sample) => ({ prompt, completion, sample, id: prompt })),
    );
    const other = optionsOf({ data: [written('single.jsonl', single)], pairsPerPrompt: 5 });
    await runLabel(other);
    expect(
      read(other.output)
        .map(({ chosen, rejected }) => `${rejected}<${chosen}`)
        .sort(),
    ).toEqual(texts);
    // A column that differs between the answers to a prompt belongs to one of them.
    for (const row of read(other.output)) {
      expect(row).toMatchObject({ id: 'p1' });
      expect(row).not.toHaveProperty('sample');
    }
  });

  it('mixes in what people said, and counts where both agree', async () => {
    const people = [
      { prompt: 'p1', chosen: 'aaa', rejected: 'b', label_probability: 0.9 },
      { prompt: 'p2', chosen: 'b', rejected: 'aa', label_probability: 0.75 },
      { prompt: 'p9', chosen: 'x', rejected: 'y' },
    ];
    const options = optionsOf({
      data: [written('pairs.jsonl', pairs)],
      human: [written('people.jsonl', people)],
    });
    const { summary } = await runLabel(options);
    const rows = read(options.output);
    expect(rows.map(({ labelled_by }) => labelled_by)).toEqual([
      'people',
      'people',
      'judge',
      'people',
    ]);
    expect(rows[0]).toMatchObject({ chosen: 'aaa', label_probability: 0.9 });
    expect(rows[0].judge_probability).toBeGreaterThan(0.9);
    expect(rows[1]).toMatchObject({ chosen: 'b', label_probability: 0.75 });
    expect(rows[1].judge_probability).toBeLessThan(0.2);
    expect(rows[3]).toMatchObject({ prompt: 'p9', chosen: 'x', label_probability: 1 });
    expect(summary).toMatchObject({ rows: 4, humanOnly: 1, human: { count: 2, value: 0.5 } });
  });

  it('counts the bad rows of people too', async () => {
    const people = written('bad-people.jsonl', [
      { prompt: 'p1', chosen: 'aaa', rejected: 'b' },
      { prompt: 'p2', chosen: 'b', weight: 0.5, rejected: 'aa' },
    ]);
    const notices: string[] = [];
    const options = optionsOf({
      ...{ data: [written('pairs.jsonl', pairs)], human: [people], onBadRow: 'skip' },
    });
    await runLabel(options, { onNotice: (text) => notices.push(text) });
    expect(notices).toEqual([expect.stringMatching(/^--human\b.*\b1\b/)]);
    expect(read(options.output).map(({ labelled_by }) => labelled_by)).toEqual([
      ...['people', 'judge', 'judge'],
    ]);
  });

  it('resumes to the byte, with the same principles for each pair', async () => {
    const many = Array.from({ length: 7 }, (_, at) => ({
      ...{ prompt: `p${at}`, chosen: 'a'.repeat(at + 1), rejected: 'b' },
    }));
    const data = [written('many.jsonl', many)];
    const whole = optionsOf({ data, principlesPerPair: 1 });
    await runLabel(whole);
    const own = optionsOf({ data, principlesPerPair: 1 });
    const controller = new AbortController();
    const stopped = await runLabel(own, {
      signal: controller.signal,
      onProgress: ({ pairs: done }) => done >= 2 && controller.abort(),
    });
    expect(stopped).toMatchObject({ interrupted: true, done: 2 });
    const before = asked.length;
    await runLabel(own);
    expect(asked.length - before).toBe(10);
    expect(readFileSync(own.output, 'utf8')).toBe(readFileSync(whole.output, 'utf8'));
    expect(existsSync(`${own.output}.partial`)).toBe(false);
  });

  it('leaves out and counts pairs without a verdict, and asks rules once', async () => {
    const failing = judge({
      compare: async () => ({
        ...{ failed: 'no label', exchanges: [] },
        usage: { promptTokens: 0, answerTokens: 0, cost: 0 },
      }),
      ...{ seesOrder: false, isAskedInWords: false },
    });
    const data = [written('pairs.jsonl', pairs)];
    const options = optionsOf({ judge: failing, constitution: null, data });
    const { summary } = await runLabel(options);
    expect(summary).toMatchObject({
      unlabelled: 3,
      rows: 0,
      failed: { 'no label': 3 },
      longer: null,
    });
  });

  it('labels answers that keel generate cut off', async () => {
    const rows = ['a', 'aa'].map((completion) => ({
      ...{ prompt: 'p', completion, finish_reason: 'length' },
    }));
    const options = optionsOf({ data: [written('cut.jsonl', rows)] });
    await runLabel(options);
    expect(read(options.output)).toMatchObject([{ chosen: 'aa', rejected: 'a' }]);
  });

  it('refuses what training refuses and margins, and keeps other columns', async () => {
    for (const [name, own] of [
      ['context', { context: 'what it is about' }],
      ['weight', { weight: 0.5 }],
      ['margin', { margin: 2 }],
      ['score_chosen', { score_chosen: 2, score_rejected: 1 }],
    ] as const) {
      const data = [written(`${name}.jsonl`, [{ ...pairs[0], ...own }])];
      await expect(runLabel(optionsOf({ data }))).rejects.toThrow(
        new RegExp(`${name}\\.jsonl.*${name}`, 's'),
      );
    }
    const options = optionsOf({ data: [written('pairs.jsonl', pairs)] });
    await runLabel(options);
    expect(read(options.output)[1]).toMatchObject({ id: 7 });
  });

  it('refuses judges that only rate, other settings, and constitutions for critics', async () => {
    const data = [written('pairs.jsonl', pairs)];
    const { compare: _, ...rating } = judge();
    await expect(runLabel(optionsOf({ data, judge: rating }))).rejects.toThrow(/letters/);
    await expect(runLabel(optionsOf({ data, principlesPerPair: 3 }))).rejects.toThrow(
      /principles-per-pair.*two\.json.* 2 .* 3/s,
    );
    const critics = inside('critics.json');
    writeFileSync(critics, '{"a": {"prompt": ["Kind?"], "edit_request": "Be kind."}}');
    const own = optionsOf({ data, constitution: critics });
    await expect(runLabel(own)).rejects.toThrow(/critics\.json.*"preference"/s);
    const options = optionsOf({ data });
    await runLabel(options);
    await expect(runLabel(options)).rejects.toThrow(/--overwrite/);
  });

  it('refuses principles for a judge that is not asked in words', async () => {
    const own = judge({ isAskedInWords: false });
    const data = [written('pairs.jsonl', pairs)];
    const label = (more: Partial<LabelOptions>) =>
      runLabel(optionsOf({ judge: own, data, ...more }));
    await expect(label({})).rejects.toThrow(/--constitution.*letters/);
    await expect(label({ constitution: null, principlesPerPair: 2 })).rejects.toThrow(
      /--principles-per-pair.*letters/,
    );
    expect((await label({ constitution: null })).summary).toMatchObject({ rows: 3 });
  });

  it('saves finished pairs if the judge fails, and plans without asking', async () => {
    const data = [written('pairs.jsonl', pairs)];
    let left = 8;
    const working = judge();
    const broken = judge({
      compare: (pair) => {
        left -= 1;
        if (left < 0) throw new Error('the judge is gone');
        return working.compare!(pair);
      },
    });
    const options = optionsOf({ data, judge: broken });
    await expect(runLabel(options)).rejects.toThrow('the judge is gone');
    let plan: unknown;
    await runLabel({ ...options, dryRun: true }, { onPlan: (one) => (plan = one) });
    expect(plan).toEqual({
      ...{ judge: 'letters', pairs: 3, done: 2, principles: 2, verdicts: 12, human: 0 },
    });
    left = 100;
    expect((await runLabel(options)).summary).toMatchObject({ pairs: 3, rows: 3 });
  });

  describe('the best with the worst', () => {
    const answers = ['aaaa', 'aaaab', 'b', 'aabbbbb', 'bbb'];
    const data = [
      { prompt: 'p1', completions: answers, id: 7 },
      { prompt: 'p2', completions: ['b', 'bb'] },
      { prompt: 'p3', completions: ['fail', 'fail too', 'a'] },
      { prompt: 'p4', completions: ['a', 'a'] },
    ];
    const rated: string[] = [];
    /** One point for each letter a. */
    const rating = (own: Partial<Judge> = {}): Judge =>
      judge({
        async rate({ answer, instructions }) {
          expect(instructions).toBeUndefined();
          const text = String(answer);
          rated.push(text);
          const usage = { promptTokens: 0, answerTokens: 0, cost: 0 };
          if (text.startsWith('fail')) return { failed: 'unreadable', exchanges: [], usage };
          return { score: text.split('a').length - 1, exchanges: [], usage };
        },
        ...own,
      });
    const best = (own: Partial<LabelOptions>) =>
      optionsOf({
        pairing: 'best-worst',
        judge: rating(),
        data: [written('n.jsonl', data)],
        ...own,
      });

    it('makes one pair of each prompt by ratings, and counts prompts without one', async () => {
      rated.length = 0;
      const options = best({});
      const { summary } = await runLabel(options);
      // Of equal ratings, the shorter answer is chosen and the longer one rejected.
      expect(read(options.output)).toMatchObject([
        {
          ...{ id: 7, row: 0, chosen: 'aaaa', rejected: 'bbb', label_probability: 1 },
          ...{ score_chosen: 4, score_rejected: 0 },
        },
      ]);
      expect(summary).toMatchObject({
        ...{ pairs: 1, rows: 1, tied: 1, unlabelled: 1, single: 1, failed: { unreadable: 2 } },
        ratings: { all: (4 + 4 + 0 + 2 + 0 + 0 + 0 + 1) / 8, chosen: 4, rejected: 0 },
        length: { chosen: 4, rejected: 3 },
      });
      expect(rated).toHaveLength(10);
      expect(asked).toEqual([]);
      await using source = await openRows(options.output, { kind: 'preference' });
      expect(source.length).toBe(1);
    });

    it('has no scores where people prefer the answer with the lower rating', async () => {
      const people = [
        { prompt: 'p1', chosen: 'bbb', rejected: 'aaaa' },
        { prompt: 'p5', chosen: 'aa', rejected: 'b' },
      ];
      const options = best({
        data: [written('two.jsonl', [data[0]!, { prompt: 'p5', completions: ['b', 'aa'] }])],
        human: [written('people-best.jsonl', people)],
      });
      await runLabel(options);
      const [against, along] = read(options.output);
      expect(against).toMatchObject({ chosen: 'bbb', rejected: 'aaaa', labelled_by: 'people' });
      expect(against).not.toHaveProperty('score_chosen');
      expect(along).toMatchObject({ labelled_by: 'people', score_chosen: 2, score_rejected: 0 });
    });

    it('guards the length among nearly equal ratings', async () => {
      const options = best({
        data: [written('near.jsonl', [{ prompt: 'p', completions: ['aaaabbb', 'aaa', 'a', 'b'] }])],
        lengthGuard: 0.3,
      });
      await runLabel(options);
      expect(read(options.output)).toMatchObject([
        { chosen: 'aaa', rejected: 'a', score_chosen: 3, score_rejected: 1 },
      ]);
    });

    it('resumes, and the guard may then be another', async () => {
      const controller = new AbortController();
      rated.length = 0;
      const options = best({ judge: rating({ concurrency: 1 }) });
      const stopped = await runLabel(options, {
        signal: controller.signal,
        onProgress: ({ pairs }) => void (pairs === 1 && controller.abort()),
      });
      expect(stopped).toMatchObject({ interrupted: true, done: 1 });
      expect((await runLabel({ ...options, lengthGuard: 0.1 })).summary).toMatchObject({
        pairs: 1,
      });
      expect(rated).toHaveLength(10);
    });

    it('is refused for pairs, and for a judge that only compares', async () => {
      await expect(runLabel(best({ judge: judge() }))).rejects.toThrow(/letters.*rates/);
      const pairsOnly = best({ data: [written('only-pairs.jsonl', pairs)] });
      await expect(runLabel(pairsOnly)).rejects.toThrow(/only-pairs\.jsonl/);
    });
  });
});
