import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, LanguageModel } from '@keel/model';
import { setThreads } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { resolveOptions } from '../../config/resolve-options.ts';
import { unpairedObjectiveNames } from '../../objectives/unpaired-registry.ts';
import type { MetricsRow } from '../../runs/metrics.ts';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { tinyRows, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { ktoDefinition } from './kto-options.ts';
import { type AlignUnpairedOptions, alignUnpaired } from './run-kto.ts';
import { UnpairedSource } from './unpaired-source.ts';

const folder = cachedFolder();
let data: string;
let runs = 0;
setThreads(1);
beforeAll(() => {
  writeTinyChatModel(join(folder, 'model'));
  data = writeRows('rows.jsonl', (at) => at % 3 !== 0);
});

/** Alternates chats and plain rows. */
function writeRows(name: string, label: (at: number) => boolean): string {
  const path = join(folder, name);
  const lines = tinyRows(8).map(({ prompt, chosen }, at) =>
    JSON.stringify({ prompt, completion: chosen, label: label(at) }),
  );
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const optionsOf = (own: Partial<AlignUnpairedOptions> = {}): AlignUnpairedOptions => ({
  ...{ model: join(folder, 'model'), data: [data], output: join(folder, `run-${runs++}`) },
  ...{ precision: 'fp32', lora: true, loraRank: 2, batchSize: 8, threads: 1, shuffle: false },
  ...{ maxSteps: 2, saveSteps: null, learningRate: 1e-2, scheduler: 'constant' },
  ...own,
});

describe.each(unpairedObjectiveNames)('%s', (loss) => {
  it.each([
    ['LoRA', true],
    ['full fine-tuning', false],
  ])('starts with policy and reference equal, and leaks no tensors: %s', async (_, lora) => {
    const before = await liveMemory();
    const options = optionsOf({ loss, lora, undesirableWeight: 1.33, evalData: [data] });
    await alignUnpaired(options);
    expect(await liveMemory()).toEqual(before);
    const [held, first] = metricsOf(options.output);
    // Three of the eight labels are `false`.
    const mean = (5 + 3 * 1.33) / 8;
    expect(first!.loss).toBeCloseTo(mean * (loss.startsWith('bco') ? Math.LN2 : 0.5), 6);
    expect(held!.eval_loss).toBeCloseTo(first!.loss as number, 5);
    expect(first).toMatchObject({
      'rewards/chosen': 0,
      'rewards/rejected': 0,
      'rewards/margins': 0,
    });
    expect('kl' in first!).toBe(loss === 'kto');
  });

  it('takes the same steps however they are divided into passes', async () => {
    const found: MetricsRow[][] = [];
    for (const microBatchSize of [8, 3, 1]) {
      const options = optionsOf({ loss, microBatchSize, maxSteps: 3 });
      await alignUnpaired(options);
      found.push(metricsOf(options.output));
    }
    for (const other of found.slice(1)) {
      other.forEach((row, at) => {
        for (const name of ['loss', 'grad_norm', 'kl', 'rewards/margins']) {
          const expected = found[0]![at]![name] as number | undefined;
          if (expected === undefined) continue;
          expect(Math.abs((row[name] as number) - expected), name).toBeLessThan(
            1e-4 * Math.max(1, Math.abs(expected)),
          );
        }
      });
    }
    expect(Math.abs(found[0]!.at(-1)!['rewards/margins'] as number)).toBeGreaterThan(1e-3);
  });

  it('computes the reference of an answer once, however often it is needed', async () => {
    using ask = vi.spyOn(LanguageModel.prototype, 'asSteps');
    // Every step has all rows; evaluations are before the first step and after each.
    await alignUnpaired(optionsOf({ loss, maxSteps: 3, evalData: [data], evalSteps: 1 }));
    const asked = ask.mock.calls.filter(([role]) => role === 'reference').length;
    // Passes for the held-out rows, and again in the first step, which computes its own; KTO needs
    // the mismatched rows too.
    expect(asked).toBe(loss === 'kto' ? 4 : 2);
  });

  it('full fine-tuning precomputes and caches its reference for later runs', async () => {
    using ask = vi.spyOn(LanguageModel.prototype, 'asSteps');
    // Nothing is cached for these weights.
    const model = writeTinyChatModel(join(folder, `model-${loss}`), 100 + runs);
    const passes = async (told: string): Promise<number> => {
      ask.mockClear();
      const own = { model, loss, lora: false, evalData: [data] };
      const options = optionsOf({ ...own, batchSize: 4, maxSteps: 3, shuffle: true });
      const notices: string[] = [];
      await alignUnpaired(options, {
        onEvent: (event) => event.type === 'notice' && notices.push(event.text),
      });
      expect(notices).toContain(`reference log-probabilities of ${told}`);
      expect(metricsOf(options.output)[1]).toMatchObject({ 'rewards/margins': 0 });
      return ask.mock.calls.length;
    };
    const first = await passes('the answers of 3 of 3 steps');
    const second = await passes('all answers: from the cache');
    // Four of eight rows per step: some or all rows of the third step are already cached, and so
    // are the held-out rows, which are the same.
    const asked = first - second;
    expect(asked).toBeGreaterThanOrEqual(loss === 'kto' ? 2 + 3 : 2);
    expect(asked).toBeLessThanOrEqual(loss === 'kto' ? 2 * 5 : 5);
  });

  it.each([true, false])('resumes bit for bit: LoRA %s', async (lora) => {
    const own = { loss, lora, batchSize: 3, maxSteps: 4, saveSteps: 2, shuffle: true } as const;
    const whole = optionsOf(own);
    await alignUnpaired(whole);
    const halted = optionsOf(own);
    expect(await alignUnpaired(halted, stopping(2))).toMatchObject({ interrupted: true });
    // A cache may be deleted at any time.
    rmSync(join(cacheFolder(), 'reference'), { recursive: true, force: true });
    await alignUnpaired({ ...halted, resume: true });
    expectSameRun(halted.output, whole.output);
  });
});

it('precomputing the reference can be interrupted, and resumes from the cached part', async () => {
  const model = writeTinyChatModel(join(folder, 'model-interrupted'), 77);
  const own = { model, lora: false, batchSize: 3, maxSteps: 6, shuffle: true };
  const whole = optionsOf(own);
  await alignUnpaired(whole);
  rmSync(join(cacheFolder(), 'reference'), { recursive: true, force: true });

  const halted = optionsOf(own);
  const controller = new AbortController();
  const asked: string[] = [];
  const result = await alignUnpaired(halted, {
    signal: controller.signal,
    onEvent(event) {
      if (event.type !== 'notice' || !event.text.startsWith('reference')) return;
      asked.push(event.text);
      if (asked.length === 2) controller.abort();
    },
  });
  expect(result).toMatchObject({ step: 0, interrupted: true });
  expect(asked).toHaveLength(2);
  using ask = vi.spyOn(LanguageModel.prototype, 'asSteps');
  await alignUnpaired({ ...halted, resume: true });
  const goingOn = ask.mock.calls.length;
  expectSameRun(halted.output, whole.output);

  rmSync(join(cacheFolder(), 'reference'), { recursive: true, force: true });
  ask.mockClear();
  await alignUnpaired(optionsOf(own));
  expect(goingOn).toBeLessThan(ask.mock.calls.length);
});

describe('data and options that do not fit', () => {
  it.each([
    [true, /the label is true in all 8 rows of .*keel sft/],
    [false, /the label is false in all 8 rows.*Add rows whose label is true/],
  ])('labels that are all %s are refused before the model is loaded', async (label, message) => {
    const path = writeRows(`all-${label}.jsonl`, () => label);
    await expect(alignUnpaired(optionsOf({ data: [path], model: '/nowhere' }))).rejects.toThrow(
      message,
    );
  });

  it('one prompt in all rows is refused if the KL needs answers to other prompts', async () => {
    const path = join(folder, 'one-prompt.jsonl');
    const lines = [1, 2, 3].map((at) => ({ prompt: 'q', completion: `a${at}`, label: at === 1 }));
    writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const options = optionsOf({ data: [path], model: '/nowhere' });
    const refused = /the prompt is the same in all 3 rows of .*apo_zero_unpaired/;
    await expect(alignUnpaired(options)).rejects.toThrow(refused);
    for (const own of [{ loss: 'bco' }, { klEstimate: 'rotated' }] as const)
      await expect(alignUnpaired({ ...options, ...own })).rejects.not.toThrow(refused);
  });

  it('a step of one prompt, whose KL cannot be estimated, is reported once', async () => {
    const path = join(folder, 'two-prompts.jsonl');
    const lines = [0, 1, 2, 3].map((at) => ({
      ...{ prompt: `q${at >> 1}`, completion: `a${at}`, label: at % 2 === 0 },
    }));
    writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const told = async (own: Partial<AlignUnpairedOptions>): Promise<string[]> => {
      const notices: string[] = [];
      await alignUnpaired(optionsOf({ data: [path], shuffle: false, maxSteps: 4, ...own }), {
        onEvent: (event) => void (event.type === 'notice' && notices.push(event.text)),
      });
      return notices.filter((text) => text.includes('to estimate the KL from'));
    };
    expect(await told({ batchSize: 2 })).toHaveLength(1);
    expect(await told({ batchSize: 4 })).toEqual([]);
  });

  const long = 'e '.repeat(200);
  it.each([
    ['label', [true, true, true, false], ['a', 'b', 'c', long], /label true \(3 of 4 rows, 1 /],
    ['prompt', [true, false, true, false], ['a', 'a', 'a', long], /same prompt \(3 of 4 rows, 1 /],
  ])('one %s in the rows that fit is refused', async (what, labels, prompts, message) => {
    const path = join(folder, `short-${what}.jsonl`);
    const lines = labels.map((label, at) => ({ prompt: prompts[at], completion: `${at}`, label }));
    writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const options = optionsOf({ data: [path], maxLength: 64 });
    await expect(alignUnpaired(options)).rejects.toThrow(message);
    const whole = optionsOf({ data: [path], maxSteps: 1 });
    await expect(alignUnpaired(whole)).resolves.toMatchObject({ step: 1 });
  });

  it('held-out KL is never over one row: a single last row joins the batch before it', async () => {
    for (const [loss, sizes] of [
      ['kto', [8]],
      ['bco', [7, 1]],
    ] as const) {
      using read = vi.spyOn(UnpairedSource.prototype, 'read');
      await alignUnpaired(optionsOf({ loss, batchSize: 7, maxSteps: 1, evalData: [data] }));
      const found = read.mock.calls.map(([indices]) => indices.length);
      // Before and after the step.
      expect(found).toEqual([...sizes, ...sizes]);
    }
  });

  it('KL is at least 0', async () => {
    const options = optionsOf({ learningRate: 0.1, maxSteps: 6, batchSize: 3 });
    await alignUnpaired(options);
    const found = metricsOf(options.output).map(({ kl }) => kl as number);
    // Without the lower bound, an estimate would be 0 only at the start.
    expect(found.slice(1)).toContain(0);
    expect(Math.min(...found)).toBe(0);
    expect(Math.max(...found)).toBeGreaterThan(0);
  });

  it('refuses KL over one row if KTO needs it', () => {
    const resolve = (loss: string) =>
      resolveOptions(ktoDefinition, {
        flags: { data: ['x'], output: 'run', batchSize: '1', loss },
      });
    expect(() => resolve('kto')).toThrow(/--batch-size: .*at least 2 rows, found 1/);
    expect(resolve('bco').batchSize).toBe(1);
  });

  it('refuses a KL estimator for objectives without KL', () => {
    const resolve = (loss: string) =>
      resolveOptions(ktoDefinition, {
        flags: { data: ['x'], output: 'run', klEstimate: 'rotated', loss },
      });
    for (const loss of unpairedObjectiveNames.filter((name) => name !== 'kto'))
      expect(() => resolve(loss)).toThrow(new RegExp(`--kl-estimate: .*\\b${loss}\\b`));
    expect(resolve('kto').klEstimate).toBe('rotated');
  });
});
