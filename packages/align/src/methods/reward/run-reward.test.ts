import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RewardModel } from '../../rewards/reward-model.ts';
import { type RewardRecord, readRewardRecord } from '../../rewards/reward-record.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import {
  tinyChatTokenizer,
  tinyRows,
  writeRowsFile,
  writeTinyChatModel,
} from '../../testing/tiny-chat-model.ts';
import { tinyJudged, writeJudged } from '../../testing/tiny-judged.ts';
import { tinyRun } from '../../testing/tiny-run.ts';
import { otherReadingNotice } from './reward-policy.ts';
import { type TrainRewardOptions, trainReward } from './run-reward.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-reward-'));
const inside = (name: string): string => join(folder, name);
const pairs = tinyRows(10);
let mixed: string;
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  mixed = writeJudged(folder, tinyJudged(10));
  data = writeRowsFile(folder, pairs);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optionsOf = (own: Partial<TrainRewardOptions> = {}): TrainRewardOptions => ({
  model: inside('model'),
  data: [data],
  output: inside(`run-${runs++}`),
  ...tinyRun,
  ...own,
});
const lora = { lora: true, loraRank: 4 };
const answers = pairs.flatMap(({ prompt, chosen, rejected }) => [
  { prompt, completion: chosen },
  { prompt, completion: rejected },
]);

/** Score gaps between chosen and rejected, from a saved reward model. */
async function gaps(path: string, options = {}): Promise<number[]> {
  using rewards = await RewardModel.open(path, { precision: 'fp32', device: 'cpu', ...options });
  const scores = await rewards.scoreRows(answers);
  return pairs.map((_, pair) => scores[2 * pair]!.score - scores[2 * pair + 1]!.score);
}

it('a classifier with several labels is no start, unless keel reward trained it', async () => {
  const { final } = await trainReward(optionsOf({ heads: 2, maxSteps: 1 }));
  await expect(trainReward(optionsOf({ model: final, maxSteps: 1 }))).resolves.toMatchObject({
    step: 1,
  });
  // As another tool saves it: nothing says what the labels are to the reward.
  rmSync(join(final, 'reward.json'));
  const config = join(final, 'config.json');
  const json = JSON.parse(readFileSync(config, 'utf8'));
  writeFileSync(config, JSON.stringify({ ...json, id2label: { 0: 'bad', 1: 'good' } }));
  for (const own of [{}, lora]) {
    await expect(trainReward(optionsOf({ ...own, model: final, maxSteps: 1 }))).rejects.toThrow(
      /classifier with 2 labels \(id2label: bad, good\)/,
    );
  }
});

describe('a length head', () => {
  const own = { ...lora, lengthHead: true };

  it('is trained, but the model that is saved has the quality head alone', async () => {
    const { path, final } = await trainReward(
      optionsOf({ ...own, maxSteps: 12, evalData: [data], microBatchSize: 2 }),
    );
    const last = metricsOf(path).at(-1)!;
    expect(last['eval_length_head/correlation']).toBeGreaterThan(
      Math.abs(last.eval_length_correlation!),
    );
    using rewards = await RewardModel.open(final, { precision: 'fp32', device: 'cpu' });
    expect(rewards.heads).toBe(1);
    const found = await rewards.scoreRows(answers);
    // Normalised by the training answers, which these are.
    expect(found.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(0, 3);
    const means = (await gaps(final)).reduce((sum, gap) => sum + gap, 0) / pairs.length;
    expect(means).toBeCloseTo(last.eval_margin!, 3);
  });

  it('goes on where it was when its adapter is trained further', async () => {
    const first = await trainReward(optionsOf({ ...own, maxSteps: 6, evalData: [data] }));
    const further = { ...own, adapter: first.final, maxSteps: 1, learningRate: 1e-12 };
    const second = await trainReward(optionsOf({ ...further, evalData: [data] }));
    const [ended, began] = [metricsOf(first.path).at(-1)!, metricsOf(second.path)[0]!];
    for (const name of ['eval_loss', 'eval_length_head/correlation', 'eval_length_head/overlap']) {
      expect(began[name], name).toBeCloseTo(ended[name]!, 4);
    }
  });

  it('refuses what it cannot do, by the name of the option', async () => {
    for (const [others, message] of [
      [{ heads: 2 }, /^heads: .*length head/],
      [{ ensemble: 'minimum' as const }, /^ensemble: .*lengthHead/],
      [{ lengthHead: false, lengthWeight: 2 }, /^lengthWeight: .*without lengthHead/],
      [{ data: [mixed] }, /labels.*--length-head/s],
    ] as const) {
      await expect(trainReward(optionsOf({ ...own, ...others } as never))).rejects.toThrow(message);
    }
  });
});

describe('a run that was stopped and resumed', () => {
  it.each([
    ['a length head', { ...lora, lengthHead: true, microBatchSize: 1 }],
    ['LoRA with dropout, two heads, rows of every kind', { ...lora, loraDropout: 0.2, heads: 2 }],
    [
      'full, a language-model term, passes by tokens',
      { microBatchSize: undefined, microBatchTokens: 80, lmWeight: 0.5 },
    ],
  ])('matches the uninterrupted run, byte for byte: %s', async (_, own) => {
    const shape = {
      ...own,
      ...{
        data: ['lengthHead' in own ? data : mixed],
        evalData: ['lengthHead' in own ? data : mixed],
        maxSteps: null,
        epochs: 3,
        evalSteps: 2,
        saveSteps: 2,
      },
    };
    const whole = optionsOf(shape);
    expect(await trainReward(whole)).toMatchObject({ step: 8, interrupted: false });
    const broken = optionsOf(shape);
    // Before the first step, between checkpoints, and at one.
    for (const [attempt, after] of [0, 3, 4].entries()) {
      const result = await trainReward({ ...broken, resume: attempt > 0 }, stopping(after));
      expect(result).toMatchObject({ interrupted: true, step: after });
    }
    const result = await trainReward({ ...broken, resume: true });
    expect(result).toMatchObject({ interrupted: false, step: 8 });
    expectSameRun(result.path, whole.output);
  });
});

it('learns the pairs, as its report and its model show', async () => {
  const before = await liveMemory();
  const { path, final } = await trainReward(
    optionsOf({ ...lora, maxSteps: 25, evalData: [data], maxGradNorm: null }),
  );
  expect(await liveMemory()).toEqual(before);
  const evaluations = metricsOf(path).filter(({ eval_loss }) => eval_loss !== undefined);
  expect(evaluations.map(({ step }) => step)).toEqual([0, 25]);
  expect(evaluations[1]!.eval_loss).toBeLessThan(0.3 * evaluations[0]!.eval_loss!);
  expect(evaluations[1]!.eval_accuracy).toBe(1);
  const report = readFileSync(join(path, 'report.html'), 'utf8');
  for (const label of ['Held-out accuracy', 'Held-out reward margin', 'Held-out loss']) {
    expect(report).toContain(`<h3>${label}</h3>`);
  }
  const { accuracy, calibration } = JSON.parse(
    readFileSync(join(path, 'reward-evaluation.json'), 'utf8'),
  );
  expect(accuracy).toMatchObject({ value: 1, count: 10 });
  expect(calibration.logLoss).toBeCloseTo(evaluations[1]!.eval_loss!, 6);
  const found = await gaps(final);
  const mean = found.reduce((sum, gap) => sum + gap, 0) / found.length;
  expect(mean).toBeCloseTo(evaluations[1]!.eval_margin!, 4);
  expect(found.every((gap) => gap > 0)).toBe(true);
});

describe('normalisation', () => {
  it.each([
    ['mean', {}],
    ['mean_and_deviation', { heads: 2 }],
  ] as const)('%s: the loaded model gives training answers mean 0', async (normalise, own) => {
    const { final } = await trainReward(optionsOf({ ...lora, ...own, normalise }));
    using rewards = await RewardModel.open(final, { precision: 'fp32', device: 'cpu' });
    const found = await rewards.scoreRows(answers);
    for (let head = 0; head < rewards.heads; head++) {
      const scores = found.map(({ heads }) => heads[head]!);
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      expect(mean).toBeCloseTo(0, 5);
      const square = scores.reduce((sum, score) => sum + score ** 2, 0) / (scores.length - 1);
      if (normalise === 'mean_and_deviation') expect(square).toBeCloseTo(1, 4);
      else expect(Math.abs(square - 1)).toBeGreaterThan(0.01);
    }
  });

  it('uses reference answers without verdicts, also required on resume', async () => {
    const reference = inside('reference.jsonl');
    const lines = answers.slice(0, 5).map((row) => `${JSON.stringify(row)}\n`);
    writeFileSync(reference, lines.join(''));
    const options = optionsOf({ ...lora, normaliseData: [reference], saveSteps: 1 });
    const { final } = await trainReward(options);
    expect(readRewardRecord(final)!.normalisation).toMatchObject({ count: 5, scale: false });
    using rewards = await RewardModel.open(final, { precision: 'fp32', device: 'cpu' });
    const found = await rewards.scoreRows(answers.slice(0, 5));
    expect(found.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(0, 4);
    writeFileSync(reference, lines.slice(1).join(''));
    await expect(trainReward({ ...options, resume: true, maxSteps: 4 })).rejects.toThrow(
      /--normalise-data/,
    );
  });

  it('refuses reference answers to which a text beside the prompt belongs', async () => {
    const reference = inside('context.jsonl');
    const row = { prompt: 'p', completion: 'c', context: 'A passage.' };
    writeFileSync(reference, `${JSON.stringify(row)}\n`);
    const options = optionsOf({ ...lora, normaliseData: [reference] });
    await expect(trainReward(options)).rejects.toMatchObject({ field: 'context', line: 1 });
  });

  it("none leaves the head's scores unchanged", async () => {
    const { final } = await trainReward(optionsOf({ ...lora, normalise: 'none' }));
    expect(readRewardRecord(final)!.normalisation).toBeNull();
  });
});

it('a whole model is trained further, with its head', async () => {
  const first = await trainReward(optionsOf({ maxSteps: 4 }));
  const second = await trainReward(
    optionsOf({ model: first.final, maxSteps: 1, learningRate: 1e-12 }),
  );
  const [before, after] = [await gaps(first.final), await gaps(second.final)];
  for (const [pair, gap] of before.entries()) expect(after[pair]).toBeCloseTo(gap, 4);
  await expect(trainReward(optionsOf({ model: first.final, heads: 2 }))).rejects.toThrow(
    /has 1 head and --heads is 2/,
  );
});

it('an adapter is trained further, with its head', async () => {
  const first = await trainReward(optionsOf({ ...lora, maxSteps: 4 }));
  const second = await trainReward(
    optionsOf({ ...lora, adapter: first.final, maxSteps: 1, learningRate: 1e-12 }),
  );
  const [before, after] = [await gaps(first.final), await gaps(second.final)];
  for (const [pair, gap] of before.entries()) expect(after[pair]).toBeCloseTo(gap, 4);
});

describe('invalid data and options are reported with advice', () => {
  it.each([
    [
      '{"prompt":"a","completion":"b"}',
      /judged\.jsonl:1: expected an object with "chosen" and "rejected".*use keel sft/,
    ],
    ['{"prompt":"a","completion":"b","label":true}', /pair answers to the same prompt/],
    [
      '{"prompt":"a","chosen":"","rejected":"b"}',
      /field "chosen": expected some text, found an empty string/,
    ],
    ['{"prompt":"a","completions":["b","c"]}', /field "ranking": expected a list of ranks/],
    [
      '{"prompt":"a","completions":["b","c"],"labels":[true]}',
      /field "labels": expected one entry for each of the 2/,
    ],
  ])('%s', async (line, message) => {
    const path = join(mkdtempSync(inside('bad-')), 'judged.jsonl');
    writeFileSync(path, `${line}\n`);
    await expect(trainReward(optionsOf({ data: [path] }))).rejects.toThrow(message);
  });

  it('a head of another width, or none', async () => {
    const head = inside('head.json');
    writeFileSync(head, JSON.stringify([1, 2, 3]));
    await expect(trainReward(optionsOf({ head }))).rejects.toThrow(
      /--head .*head\.json .* 3, .*model have 16/,
    );
    writeFileSync(head, '{"weight":1}');
    await expect(trainReward(optionsOf({ head }))).rejects.toThrow(/expected a list of numbers/);
  });

  it('answers that do not fit are skipped, since their scores are read at the end', async () => {
    const notices: string[] = [];
    const onEvent = (event: { type: string; text?: string }): void => {
      if (event.type === 'notice') notices.push(event.text!);
    };
    await trainReward(optionsOf({ ...lora, maxLength: 60, maxSteps: 1 }), { onEvent });
    expect(notices).toContainEqual(
      expect.stringMatching(/rows of --data .*their answers, .*--max-length 60$/),
    );
  });

  it('--margin scores if no row has scores of both answers', async () => {
    const refused = /--margin scores: none of the 10 rows of .*rows\.jsonl .*"score_chosen"/;
    const options = optionsOf({ margin: 'scores', model: '/nowhere' });
    await expect(trainReward(options)).rejects.toThrow(refused);
    const scored = { ...pairs[0], score_chosen: 2, score_rejected: 1 };
    const path = inside('scored.jsonl');
    writeFileSync(path, `${[scored, pairs[1]].map((row) => JSON.stringify(row)).join('\n')}\n`);
    await expect(trainReward({ ...options, data: [path] })).rejects.not.toThrow(refused);
  });

  it('steps that are all correct or all wrong', async () => {
    const path = inside('steps.jsonl');
    const steps = (prompt: string, labels: boolean[]) => ({
      prompt,
      completions: ['a', 'b'],
      labels,
    });
    const write = (...rows: object[]): void =>
      writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const options = optionsOf({ data: [path], maxLength: 60 });
    write(steps('q', [true, true]), steps('p', [true, true]));
    await expect(trainReward({ ...options, model: '/nowhere' })).rejects.toThrow(
      /--data: .*2 rows of .*steps\.jsonl.*\btrue\b/,
    );
    write(steps('q', [true, true]), steps('e '.repeat(100), [true, false]));
    await expect(trainReward(options)).rejects.toThrow(/\btrue\b.*1 of 2 rows/);
  });

  it('options that contradict each other', async () => {
    await expect(trainReward(optionsOf({ heads: 1, ensemble: 'lower_bound' }))).rejects.toThrow(
      /ensemble: .*heads 2/s,
    );
  });
});

it('checkpoints contain a reward model too', async () => {
  const { path } = await trainReward(optionsOf({ ...lora, saveSteps: 2 }));
  const checkpoint = join(path, 'checkpoints', 'step-2');
  expect(existsSync(join(checkpoint, 'reward.json'))).toBe(true);
  expect(await gaps(checkpoint)).toHaveLength(10);
});

it('reports when transformers reads an adapter at another token', () => {
  const tokenizer = tinyChatTokenizer();
  const record = { read_at: 'last', pad_token_id: 5 } as RewardRecord;
  const told = (pad: number | null, own = {}) =>
    otherReadingNotice({ configJson: { pad_token_id: pad }, tokenizer }, { ...record, ...own });
  expect(told(tokenizer.eosTokenId)).toMatch(/model\.config\.pad_token_id = 5/);
  expect(told(tokenizer.eosTokenId, { read_at: 'last_not_pad' })).toBeNull();
  expect(told(tokenizer.padTokenId)).toBeNull();
  expect(told(null)).toBeNull();
});
