import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAdapter, loadModel } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packPairs } from '../batching/pack-pairs.ts';
import { tokenisePair } from '../batching/tokenise-pair.ts';
import type { Content } from '../data/messages.ts';
import type { Judge, JudgedPair } from '../judges/judge.ts';
import { noUsage, noVerdict } from '../judges/judgements.ts';
import { alignPairs } from '../methods/dpo/run-dpo.ts';
import { scorePairs } from '../methods/pairs/score-pairs.ts';
import { trainReward } from '../methods/reward/run-reward.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import { type AskOptions, runAsk } from './ask.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-ask-'));
const inside = (name: string): string => join(folder, name);
const says = (content: string) => [{ role: 'assistant', content }];
const answered = Array.from({ length: 6 }, (_, at) => ({
  prompt: [{ role: 'user', content: `hello ${at}` }],
  completions: ['world', 'day', 'world', `x ${at}`].map(says),
  topic: `number ${at}`,
}));
let outputs = 0;
const ask = (own: Partial<AskOptions> = {}, hooks = {}) =>
  runAsk(
    {
      ...{ data: [inside('answers.jsonl')], onBadRow: 'fail', labelled: null, overwrite: false },
      ...{ reward: [inside('heads')], by: null, count: 4, randomShare: 0.5, perPrompt: 1, seed: 1 },
      ...{ precision: 'fp32', device: 'cpu', output: inside(`ask-${outputs++}.jsonl`) },
      ...own,
    },
    hooks,
  );
const rowsOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  writeTinyChatModel(inside('model'));
  const data = [writeRowsFile(folder, tinyRows(6))];
  const usual = { model: inside('model'), data, ...tinyRun, lora: true, loraRank: 4, maxSteps: 2 };
  await trainReward({ ...usual, heads: 3, output: inside('heads') });
  await trainReward({ ...usual, output: inside('one') });
  for (const [name, seed] of [
    ['policy', 1],
    ['other', 2],
  ] as const)
    await alignPairs({ ...usual, output: inside(name), seed, maxSteps: 3 });
  writeFileSync(
    inside('answers.jsonl'),
    answered.map((row) => `${JSON.stringify(row)}\n`).join(''),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('which comparisons to ask for', () => {
  it('are written as rows of two answers, with why they were chosen', async () => {
    const before = await liveMemory();
    const { summary, output } = await ask();
    expect(await liveMemory()).toEqual(before);
    expect(summary).toMatchObject({ rows: 4, random: 2, prompts: 6, by: 'disagreement' });
    const rows = rowsOf(output);
    expect(rows.map(({ ask: { why } }) => why).toSorted()).toEqual([
      ...['disagreement', 'disagreement', 'random', 'random'],
    ]);
    for (const { prompt, completions, topic, ask: own } of rows) {
      const from = answered.find((row) => row.topic === topic)!;
      expect(prompt).toEqual(from.prompt);
      for (const one of completions) expect(from.completions).toContainEqual(one);
      expect(completions[0]).not.toEqual(completions[1]);
      expect(own.probability).toBeGreaterThan(0);
      expect(own.information).toBeGreaterThanOrEqual(0);
    }
    expect(summary!.mean.chosen).toBeGreaterThanOrEqual(summary!.mean.all);
  });

  it('may be of rows with one answer each, as they are generated', async () => {
    const rows = answered.flatMap(({ prompt, completions }) =>
      completions.map((completion) => ({ prompt, completion, finish_reason: 'stop' })),
    );
    const data = inside('generated.jsonl');
    writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const [one, other] = [await ask({ data: [data] }), await ask()];
    expect(one.summary).toEqual(other.summary);
    const asked = (path: string) => rowsOf(path).map(({ completions }) => completions);
    expect(asked(one.output)).toEqual(asked(other.output));
  });

  it('leave out what has a label already, in either order', async () => {
    const labelled = answered.flatMap(({ prompt }, at) =>
      at === 0 ? [] : [{ prompt, chosen: says('day'), rejected: says('world') }],
    );
    writeFileSync(
      inside('labelled.jsonl'),
      labelled.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
    const { summary, output } = await ask({
      ...{ labelled: [inside('labelled.jsonl')], count: 100, perPrompt: 9, randomShare: 1 },
    });
    // Three different answers make three pairs; five of them are known.
    expect(summary).toMatchObject({ rows: 6 * 3 - 5, labelled: 5 });
    const known = rowsOf(output).filter(({ completions }) =>
      completions.every(([{ content }]: [{ content: string }]) => !content.startsWith('x')),
    );
    expect(known).toHaveLength(1);
  });

  it('of a single model are the least certain ones, and of several adapters an ensemble', async () => {
    const one = await ask({ reward: [inside('one')] });
    expect(one.summary).toMatchObject({ by: 'uncertainty' });
    const both = await ask({ reward: [inside('one'), inside('heads')], by: 'information' });
    expect(both.summary).toMatchObject({ by: 'information', rows: 4 });
    await expect(ask({ reward: [inside('one')], by: 'disagreement' })).rejects.toThrow(
      /--by disagreement.*--by uncertainty/,
    );
  });

  it('are planned without writing, and not written when stopped or where a file is', async () => {
    const plans: object[] = [];
    const dry = await ask({ dryRun: true }, { onPlan: (plan: object) => plans.push(plan) });
    expect(plans).toEqual([{ prompts: 6, pairs: 18, members: 3, by: 'disagreement' }]);
    expect([dry.summary, existsSync(dry.output)]).toEqual([null, false]);
    const stopped = await ask({}, { signal: AbortSignal.abort(new Error('enough')) });
    expect(stopped).toMatchObject({ interrupted: true, done: 0 });
    expect(existsSync(stopped.output)).toBe(false);
    const taken = inside('answers.jsonl');
    await expect(ask({ output: taken })).rejects.toThrow(/--overwrite/);
  });
});

describe('rows', () => {
  it('have a priority, which random ones do not, and who set it', async () => {
    const { output, summary } = await ask({ by: 'information' });
    expect(summary!.source).toBe("reward model's information");
    for (const { priority, priority_source, ask: own } of rowsOf(output))
      expect([priority, priority_source]).toEqual(
        own.why === 'random'
          ? [undefined, undefined]
          : [own.information, "reward model's information"],
      );
  });

  it('are scored by one kind of model', async () => {
    await expect(ask({ reward: null })).rejects.toThrow(/--reward, --judge and --policy/);
    const policy = { policy: [inside('policy')], reference: null, beta: 0.1 } as const;
    await expect(ask({ policy: { ...policy, margin: 'implicit' } })).rejects.toThrow(/one of/);
  });
});

/** A judge that likes answers with a word, and the first place. */
function judgeOf(word: string, chance: number, first = 0): Judge {
  return {
    ...{ name: `likes ${word}`, identity: word, concurrency: 2, seesOrder: true },
    async compare({ answers }: JudgedPair) {
      const [one, other] = answers.map((answer: Content) => JSON.stringify(answer).includes(word));
      const better = one === other ? 0.5 : one ? chance : 1 - chance;
      return { first: better + first, tie: 0, exchanges: [], usage: noUsage };
    },
    async [Symbol.asyncDispose]() {},
  };
}

describe('judges', () => {
  const judged = (judges: readonly Judge[], own: Partial<AskOptions> = {}) =>
    ask({ reward: null, judges, count: 100, perPrompt: 9, randomShare: 0, ...own });

  it('disagree by the deviation of their chances, over both orders', async () => {
    // What the first place is worth cancels out.
    const judges = [judgeOf('world', 0.9, 0.05), judgeOf('day', 0.7)];
    const { summary, output } = await judged(judges);
    expect(summary).toMatchObject({ by: 'disagreement', source: "judges' disagreement" });
    const rows = rowsOf(output);
    expect(rows).toHaveLength(18);
    for (const { completions, priority, ask: own } of rows) {
      const texts = completions.map(([{ content }]: [{ content: string }]) => content);
      const chanceOf = (word: string, chance: number): number =>
        texts.includes(word) ? (texts[0] === word ? chance : 1 - chance) : 0.5;
      const [one, other] = [chanceOf('world', 0.9), chanceOf('day', 0.7)];
      expect(own.probability).toBeCloseTo((one + other) / 2, 5);
      expect(priority).toBeCloseTo(Math.abs(one - other) / Math.SQRT2, 5);
    }
    // World against day: 0.9 and 0.3.
    expect(Math.max(...rows.map(({ priority }) => priority))).toBeCloseTo(0.6 / Math.SQRT2, 5);
  });

  it('are unsure alone, and a missing verdict is no agreement', async () => {
    const one = await judged([judgeOf('world', 0.9)]);
    expect(one.summary).toMatchObject({ by: 'uncertainty', source: "judges' uncertainty" });
    const values = rowsOf(one.output).map(({ priority }) => priority);
    expect(new Set(values)).toEqual(new Set([0.09, 0.25]));
    const mute: Judge = { ...judgeOf('day', 0.7), compare: async () => noVerdict('no label') };
    const both = await judged([judgeOf('world', 0.9), mute]);
    expect(both.summary).toMatchObject({ rows: 0, faults: { 'no label': 36 } });
  });

  it('that say the same are noticed: their disagreement chooses nothing', async () => {
    const notices: string[] = [];
    const same = [judgeOf('world', 0.9), judgeOf('world', 0.9)];
    const given = { reward: null, judges: same, count: 4 };
    await ask(given, { onNotice: (text: string) => notices.push(text) });
    expect(notices).toEqual([expect.stringContaining('all 2 members say the same')]);
  });

  it('must compare', async () => {
    const { compare: _, ...rating } = judgeOf('world', 0.9);
    await expect(judged([rating])).rejects.toThrow(/rates single answers/);
  });
});

describe('policies', () => {
  const scored = (policy: Partial<NonNullable<AskOptions['policy']>>, own = {}) =>
    ask({
      ...{ reward: null, count: 100, perPrompt: 9, randomShare: 0 },
      policy: {
        ...{ policy: [inside('policy')], reference: null, beta: 0.5, margin: 'implicit' },
        ...policy,
      },
      ...own,
    });
  type Row = { prompt: Content; completions: [Content, Content]; ask: Record<string, number> };

  /** log p of both answers of each row, by another path of the code. */
  async function logprobsOf(rows: readonly Row[], adapter: string | null): Promise<number[][]> {
    const model = await loadModel(inside('model'), { precision: 'fp32', device: 'cpu' });
    try {
      if (adapter !== null) loadAdapter(model.decoder, join(inside(adapter), 'final'), 'policy');
      return rows.map(({ prompt, completions: [chosen, rejected] }) => {
        const row = { prompt, chosen, rejected, extra: {} };
        const pair = tokenisePair(row, model.tokenizer, { maxLength: null })!;
        return tidy(() =>
          noGrad(() =>
            model.as(adapter === null ? 'reference' : 'policy', () =>
              scorePairs(model, packPairs([pair]), false).sums.toArray(),
            ),
          ),
        ) as number[];
      });
    } finally {
      model.dispose();
    }
  }
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const gapOf = ([one, other]: number[]): number => one! - other!;

  it('are unsure where the margin of implicit rewards is near 0', async () => {
    const before = await liveMemory();
    const { summary, output } = await scored({});
    expect(await liveMemory()).toEqual(before);
    expect(summary).toMatchObject({ by: 'uncertainty', source: "policy's uncertainty", rows: 18 });
    const rows = rowsOf(output) as (Row & { priority: number })[];
    const [own, base] = [await logprobsOf(rows, 'policy'), await logprobsOf(rows, null)];
    const margins = rows.map((_, at) => 0.5 * (gapOf(own[at]!) - gapOf(base[at]!)));
    expect(Math.max(...margins.map(Math.abs))).toBeGreaterThan(0.01);
    for (const [at, { ask: found, priority }] of rows.entries()) {
      const p = sigmoid(margins[at]!);
      expect(found.probability).toBeCloseTo(p, 4);
      expect(priority).toBeCloseTo(p * (1 - p), 4);
    }
    const best = await scored({}, { count: 1 });
    const [first] = rowsOf(best.output);
    const least = margins.map(Math.abs).indexOf(Math.min(...margins.map(Math.abs)));
    expect(JSON.stringify(first.completions.toSorted())).toBe(
      JSON.stringify(rows[least]!.completions.toSorted()),
    );
  });

  it('have no margin against themselves', async () => {
    const model = inside('model');
    const { output } = await scored({ policy: [model], reference: model });
    for (const { ask: own } of rowsOf(output))
      expect(own).toMatchObject({ probability: 0.5, uncertainty: 0.25 });
  });

  it('prefer what is more likely, without a reference', async () => {
    const { output } = await scored({ policy: [inside('model')], margin: 'likelihood' });
    const rows = rowsOf(output) as Row[];
    const base = await logprobsOf(rows, null);
    for (const [at, { ask: own }] of rows.entries())
      expect(own.probability).toBeCloseTo(sigmoid(gapOf(base[at]!)), 4);
  });

  it('are an ensemble if they are several, and say what they need', async () => {
    const { summary, output } = await scored({ policy: [inside('policy'), inside('other')] });
    expect(summary).toMatchObject({ by: 'disagreement', source: "policy's disagreement" });
    const rows = rowsOf(output) as (Row & { priority: number })[];
    const [one, other] = [await logprobsOf(rows, 'policy'), await logprobsOf(rows, 'other')];
    for (const [at, { priority }] of rows.entries()) {
      const gap = 0.5 * (gapOf(one[at]!) - gapOf(other[at]!));
      expect(priority).toBeCloseTo(Math.abs(gap) / Math.SQRT2, 4);
    }
    const model = inside('model');
    await expect(scored({ policy: [model] })).rejects.toThrow(/--reference/);
    await expect(scored({ policy: [inside('policy'), model] })).rejects.toThrow(/no adapter/);
    await expect(scored({ margin: 'likelihood', reference: model })).rejects.toThrow(/no effect/);
  });

  it('must be of one base, and the reference must have their tokens', async () => {
    const before = await liveMemory();
    const data = [writeRowsFile(folder, tinyRows(6))];
    writeTinyChatModel(inside('another-model'), 9);
    await alignPairs({
      ...{ ...tinyRun, model: inside('another-model'), data, lora: true, loraRank: 4 },
      ...{ maxSteps: 1, output: inside('of-another') },
    });
    await expect(scored({ policy: [inside('policy'), inside('of-another')] })).rejects.toThrow(
      /^--policy .*of-another.*: this adapter was trained on .*another-model.*one base model$/,
    );
    // A tokeniser in which two ids have changed places.
    const tokens = join(writeTinyChatModel(inside('other-tokens'), 3), 'tokenizer.json');
    const json = JSON.parse(readFileSync(tokens, 'utf8'));
    const { vocab } = json.model;
    [vocab.h, vocab.e] = [vocab.e, vocab.h];
    writeFileSync(tokens, JSON.stringify(json));
    await expect(scored({ reference: inside('other-tokens') })).rejects.toThrow(
      /^--reference .*other-tokens and --policy .*policy have different tokens: id \d+ is/,
    );
    expect(await liveMemory()).toEqual(before);
  });
});
