import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@keel/model';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PairedObjective } from '../../objectives/paired.ts';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { tinyRun } from '../../testing/tiny-run.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import { type AlignPairsOptions, alignPairs, type PairedRunHooks } from './run-dpo.ts';

const folder = cachedFolder({ each: true });
const inside = (name: string): string => join(folder, name);
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  writeTinyChatModel(inside('other'), 2);
  data = writeRowsFile(folder, tinyRows(10));
});

const optionsOf = (own: Partial<AlignPairsOptions> = {}): AlignPairsOptions => ({
  model: inside('model'),
  data: [data],
  output: inside(`run-${runs++}`),
  ...tinyRun,
  maxSteps: 2,
  ...own,
});
const lora = { lora: true, loraRank: 4, loraDropout: 0.2 };
const lnTwo = Math.fround(Math.LN2);

interface Told {
  result: Awaited<ReturnType<typeof alignPairs>>;
  notices: string[];
  totalSteps: number;
}

async function align(options: AlignPairsOptions, hooks: PairedRunHooks = {}): Promise<Told> {
  const notices: string[] = [];
  let totalSteps = 0;
  const result = await alignPairs(options, {
    ...hooks,
    onEvent(event) {
      if (event.type === 'notice') notices.push(event.text);
      if (event.type === 'start') totalSteps = event.totalSteps;
      hooks.onEvent?.(event);
    },
  });
  return { result, notices, totalSteps };
}

describe('a run that was stopped and resumed', () => {
  it.each([
    ['full', {}],
    ['another reference', { ...lora, reference: inside('other') }],
  ])('while its reference was precomputed resumes the precomputation: %s', async (_, own) => {
    const saving = { ...own, saveSteps: 1, evalData: [data] };
    const cached = (): string[] => readdirSync(join(process.env.KEEL_CACHE!, 'reference'));
    const before = await liveMemory();
    const broken = optionsOf(saving);
    const stop = new AbortController();
    const first = await align(broken, {
      signal: stop.signal,
      onEvent: (event) =>
        event.type === 'notice' && event.text.includes('of 4 of 10') && stop.abort(),
    });
    expect(first.result).toMatchObject({ step: 0, interrupted: true });
    expect(await liveMemory()).toEqual(before);
    expect(cached()).toEqual([expect.stringMatching(/\.f32\.begun$/)]);
    const second = await align({ ...broken, resume: true });
    expect(second.result.interrupted).toBe(false);
    expect(cached().filter((name) => name.endsWith('.begun'))).toEqual([]);
    expect(cached()).toHaveLength(1);
    const whole = optionsOf(saving);
    await align(whole);
    expectSameRun(broken.output, whole.output);
  });

  it.each([
    ['LoRA with dropout', lora],
    ['full', {}],
    [
      'LoRA in bf16, passes by tokens',
      { ...lora, precision: 'bf16' as const, microBatchSize: undefined },
    ],
  ])('matches the uninterrupted run, byte for byte: %s', async (_, own) => {
    const shape = {
      ...own,
      maxSteps: null,
      epochs: 3,
      evalData: [data],
      evalSteps: 2,
      saveSteps: 2,
    };
    const whole = optionsOf(shape);
    expect((await align(whole)).totalSteps).toBe(8);
    const broken = optionsOf(shape);
    // Before the first step, between checkpoints, and at one.
    for (const [attempt, after] of [0, 3, 4, 6].entries()) {
      const { result } = await align({ ...broken, resume: attempt > 0 }, stopping(after));
      expect(result).toMatchObject({ interrupted: true, step: after });
      expect(existsSync(result.final)).toBe(false);
    }
    const { result } = await align({ ...broken, resume: true });
    expect(result).toMatchObject({ interrupted: false, step: 8 });
    expectSameRun(result.path, whole.output);
  });
});

describe('the first loss', () => {
  const first = (run: string) =>
    metricsOf(run).find(({ step, loss }) => step === 1 && loss !== undefined)!;

  it.each([
    ['full, fp32', {}],
    ['full, bf16', { precision: 'bf16' as const }],
    ['LoRA, bf16', { ...lora, precision: 'bf16' as const }],
    ['fewer rows than a step has', { batchSize: 16, microBatchSize: 4 }],
  ])('is exactly ln 2: %s', async (_, own) => {
    const { result } = await align(optionsOf({ ...own, maxSteps: 1 }));
    expect(first(result.path).loss).toBe(lnTwo);
  });

  it('is ln 2 even if the reference was cached by a run with other passes', async () => {
    await align(optionsOf({ batchSize: 5, microBatchSize: 5, maxSteps: 1 }));
    // Scores from other passes differ in their last bit: here by more, to make it visible.
    const cache = join(process.env.KEEL_CACHE!, 'reference');
    const [name] = readdirSync(cache);
    const path = join(cache, name!);
    const scores = new Float32Array(Uint8Array.from(readFileSync(path).subarray(32)).buffer);
    const body = new Uint8Array(scores.map((score, i) => score * (1 + (i % 4) / 1000)).buffer);
    const checksum = createHash('sha256').update(body).digest();
    writeFileSync(path, Buffer.concat([checksum, body]));
    const { result, notices } = await align(optionsOf({ seed: 5, learningRate: 1e-6 }));
    expect(notices).toContain('reference log-probabilities of 10 training rows: from the cache');
    expect(first(result.path).loss).toBe(lnTwo);
    expect(first(result.path)['rewards/margins']).toBe(0);
    // All other rows have the cached scores.
    expect(Math.abs(metricsOf(result.path).at(-1)!['rewards/margins']!)).toBeGreaterThan(1e-3);
  });

  it('is ln 2 for an adapter that is trained further: the reference includes it', async () => {
    const started = await align(optionsOf({ ...lora, loraDropout: 0, maxSteps: 3 }));
    const adapter = started.result.final;
    const next = () => optionsOf({ adapter, maxSteps: 2, evalData: [data], learningRate: 1e-3 });
    const one = await align(next());
    expect(first(one.result.path).loss).toBe(lnTwo);
    expect(metricsOf(one.result.path)[0]!['eval_rewards/margins']).toBeCloseTo(0, 5);
    expect(one.notices).toContain('reference log-probabilities of 10 of 10 training rows');
    const again = await align(next());
    expect(again.notices).toContain(
      'reference log-probabilities of 10 training rows: from the cache',
    );
    expectSameRun(again.result.path, one.result.path);
    // The same weights with another scale are a different reference.
    const changed = inside('changed-adapter');
    cpSync(adapter, changed, { recursive: true });
    const config = join(changed, 'adapter_config.json');
    writeFileSync(
      config,
      readFileSync(config, 'utf8').replace(/"lora_alpha": \d+/, '"lora_alpha": 3'),
    );
    const other = await align({ ...next(), adapter: changed });
    expect(other.notices).toContain('reference log-probabilities of 10 of 10 training rows');
    expect(first(other.result.path).loss).toBe(lnTwo);
  });
});

describe('another reference model', () => {
  it('is scored in advance and freed', async () => {
    const step = async (model: string, reference: string) => {
      const before = await liveMemory();
      const { result } = await align(
        optionsOf({ model, reference, maxSteps: 1, ...lora, loraDropout: 0 }),
      );
      expect(await liveMemory()).toEqual(before);
      return metricsOf(result.path).at(-1)!;
    };
    const [one, two] = [inside('model'), inside('other')];
    const [forth, back] = [await step(one, two), await step(two, one)];
    // Swapping policy and reference flips the sign of every log-ratio.
    expect(Math.abs(forth['rewards/chosen']!)).toBeGreaterThan(1e-2);
    for (const name of ['rewards/chosen', 'rewards/rejected', 'rewards/margins']) {
      expect(back[name]! + forth[name]!, name).toBeCloseTo(0, 4);
    }
    expect((await step(one, one)).loss).toBeCloseTo(Math.LN2, 6);
  });

  it('must have the same vocabulary', async () => {
    cpSync(inside('other'), inside('foreign'), { recursive: true });
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
      const path = join(inside('foreign'), name);
      writeFileSync(path, readFileSync(path, 'utf8').replaceAll('<|pad|>', '<|gap|>'));
    }
    const before = await liveMemory();
    await expect(align(optionsOf({ reference: inside('foreign') }))).rejects.toThrow(
      /foreign .*--model .*: id 2 is "<\|gap\|>" .* "<\|pad\|>"/,
    );
    expect(await liveMemory()).toEqual(before);
  });

  it('may be none if the objective needs none', async () => {
    await expect(align(optionsOf({ reference: 'none' }))).rejects.toThrow(
      /reference: .*sigmoid.*reference none/s,
    );
    const { result } = await align(
      optionsOf({ reference: 'none', loss: ['chosen_nll'], evalData: [data] }),
    );
    const rows = metricsOf(result.path);
    expect(rows.at(-2)!.loss).toBeGreaterThan(0);
    expect(rows.at(-1)!.eval_loss).toBeGreaterThan(0);
    expect(rows.at(-1)!['eval_logps/chosen']).toBeLessThan(0);
    // Rewards are log-ratios to a reference, so there are none.
    const names = rows.flatMap((row) => Object.keys(row));
    expect(names.filter((name) => name.includes('rewards/'))).toEqual([]);
    expect(existsSync(join(process.env.KEEL_CACHE!, 'reference'))).toBe(false);
  });
});

describe('numbers that are not finite', () => {
  const rowsFile = (run: string) =>
    readFileSync(join(run, 'non-finite-rows.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  const weightsAreFinite = (path: string): void => {
    using file = openSafetensors(path);
    for (const name of file.names()) {
      const values = new Float32Array(Uint8Array.from(file.read(name)).buffer);
      expect(values.every(Number.isFinite), name).toBe(true);
    }
  };

  it.each([
    [1e36, 'the loss is', ['step-1']],
    // The first step already exceeds float32.
    [1e39, 'the weight .* is not finite', []],
  ])('stop a run at the learning rate %d, and are not saved', async (learningRate, what, kept) => {
    const options = optionsOf({ ...lora, learningRate, maxSteps: 20, saveSteps: 1 });
    const outside = await liveMemory();
    const error = await align(options).catch((thrown) => thrown);
    expect(await liveMemory()).toEqual(outside);
    expect(error).toBeInstanceOf(NonFiniteLossError);
    const { rows, message } = error as NonFiniteLossError;
    expect(message).toMatch(new RegExp(`^${what}.* on rows ${rows.join(', ')} `));
    const written = rowsFile(options.output);
    expect(written.map(({ row }) => row)).toEqual([...new Set(rows)]);
    const [{ row }] = written;
    expect(written[0]).toMatchObject({
      file: data,
      line: row + 1,
      chosen: tinyRows(10)[row]!.chosen,
    });
    const checkpoints = join(options.output, 'checkpoints');
    expect(existsSync(checkpoints) ? readdirSync(checkpoints) : []).toEqual(kept);
    for (const step of kept) weightsAreFinite(join(checkpoints, step, 'adapter_model.safetensors'));
    expect(existsSync(join(options.output, 'final'))).toBe(false);
  });

  it('stop a run at the loss of an objective, and its rows are named', async () => {
    let [calls, fixed] = [0, false];
    const objective: PairedObjective = {
      name: 'own',
      needsReference: false,
      loss: ({ policyChosen }) => policyChosen.mul(fixed || calls++ < 5 ? 1 : Number.NaN),
    };
    const options = optionsOf({ ...lora, maxSteps: 9, saveSteps: 1 });
    const error = (await align(options, { objective }).catch(
      (thrown) => thrown,
    )) as NonFiniteLossError;
    expect(error.message).toMatch(/^the loss is NaN on rows \d+, \d+ \(counted from 0\)/);
    expect(rowsFile(options.output).map(({ row }) => row)).toEqual([...error.rows]);
    expect(readdirSync(join(options.output, 'checkpoints')).sort()).toEqual(['step-1', 'step-2']);
    expect(readFileSync(join(options.output, 'config.yaml'), 'utf8')).toMatch(
      /^loss:\n {2}- own$/m,
    );
    // Once the objective's input is fixed, the run resumes, and the file of the failure is gone.
    fixed = true;
    const { result } = await align({ ...options, resume: true }, { objective });
    expect(result.step).toBe(9);
    expect(existsSync(join(options.output, 'non-finite-rows.jsonl'))).toBe(false);
  });

  it('stop a run at the gradient even if the loss is finite', async () => {
    const objective: PairedObjective = {
      name: 'steep',
      needsReference: false,
      // At zero the root is finite, but its slope is not.
      loss: ({ policyChosen }) => policyChosen.sub(policyChosen.detach()).abs().sqrt(),
    };
    const options = optionsOf({ ...lora, saveSteps: 1 });
    await expect(align(options, { objective })).rejects.toThrow(
      /the norm of the gradient is (NaN|Infinity) on rows/,
    );
    expect(existsSync(join(options.output, 'checkpoints'))).toBe(false);
  });

  it('on held-out rows are reported as such', async () => {
    const objective: PairedObjective = {
      name: 'broken',
      needsReference: false,
      loss: ({ policyChosen }) => policyChosen.mul(Number.NaN),
    };
    const held = inside('held.jsonl');
    writeFileSync(held, readFileSync(data, 'utf8').split('\n').slice(4, 7).join('\n'));
    const options = optionsOf({ ...lora, evalData: [held], microBatchSize: 1 });
    await expect(align(options, { objective })).rejects.toThrow(/on held-out rows 0 /);
    expect(rowsFile(options.output)).toMatchObject([{ row: 0, file: held, line: 1 }]);
  });
});

describe('a run in this process', () => {
  it('leaks no tensors, whether it succeeds or fails', async () => {
    const before = await liveMemory();
    await align(optionsOf({ ...lora, evalData: [data] }));
    expect(await liveMemory()).toEqual(before);
    await align(optionsOf());
    expect(await liveMemory()).toEqual(before);
    await expect(align(optionsOf({ ...lora, loraTargets: ['nothing'] }))).rejects.toThrow(
      /nothing/,
    );
    expect(await liveMemory()).toEqual(before);
    await expect(align(optionsOf({ maxLength: 2 }))).rejects.toThrow(/every prompt is longer/);
    expect(await liveMemory()).toEqual(before);
  });

  it.each([
    [0.5, 4, 2],
    [0.1, 1, 1],
    [2.4, 8, 3],
    [0.7, 1, 7],
  ])('%f epochs of 10 rows in batches of %i are %i steps', async (epochs, batchSize, steps) => {
    const own = { ...lora, epochs, batchSize, microBatchSize: 1, maxSteps: null };
    expect((await align(optionsOf(own))).totalSteps).toBe(steps);
  });
});
