import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AlignPairsOptions, alignPairs } from '../methods/dpo/run-dpo.ts';
import { trainGrpo } from '../methods/grpo/grpo.ts';
import { fineTune } from '../methods/supervised/run-sft.ts';
import { sftDefinition } from '../methods/supervised/sft-options.ts';
import { RunFolder } from '../runs/run-folder.ts';
import { cachedFolder } from '../testing/cached-folder.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import { planPasses } from './pass-plan.ts';
import { loadPolicy } from './policy.ts';
import { planRun, type RunPlan } from './run-plan.ts';
import type { RunHooks, RunResult } from './run-training.ts';
import type { AnySource } from './tokenised-source.ts';

const folder = cachedFolder({ each: true });
const inside = (name: string): string => join(folder, name);
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  writeTinyChatModel(inside('other'), 2);
  data = writeRowsFile(folder, tinyRows(10));
});

const lora = { lora: true, loraRank: 4 };
const optionsOf = (own: Partial<AlignPairsOptions> = {}): AlignPairsOptions => ({
  model: inside('model'),
  data: [data],
  output: inside(`run-${runs++}`),
  ...tinyRun,
  ...own,
});

interface Told {
  plan: RunPlan;
  types: string[];
  notices: string[];
  result: RunResult;
}

/** Runs it, and returns what it reported, which has exactly one plan. */
async function told(run: (hooks: RunHooks) => Promise<RunResult>): Promise<Told> {
  const plans: RunPlan[] = [];
  const types: string[] = [];
  const notices: string[] = [];
  const result = await run({
    onEvent(event) {
      if (event.type === 'plan') plans.push(event.plan);
      if (event.type === 'notice') notices.push(event.text);
      else types.push(event.type);
    },
  });
  expect(plans).toHaveLength(1);
  return { plan: plans[0]!, types, notices, result };
}

const align = (options: AlignPairsOptions): Promise<Told> =>
  told((hooks) => alignPairs(options, hooks));

const factOf = (plan: RunPlan, name: string) => plan.facts.find((one) => one.name === name)?.data;

const bytesIn = (path: string): number =>
  readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);

describe('the plan of a run', () => {
  it('comes first, and describes what the run then does', async () => {
    const more = { evalData: [data], saveSteps: 2, saveTotalLimit: null };
    const options = optionsOf({ ...lora, loraRank: 64, ...more });
    const { plan, types } = await align(options);
    expect(types[0]).toBe('plan');
    expect(plan).toMatchObject({
      verb: 'dpo',
      dryRun: false,
      model: { family: 'llama', stored: { container: 'safetensors', quantised: false } },
      trained: { adapter: { rank: 64, allLinear: true, layers: 2, ofLayers: 2, from: null } },
      rows: { kind: 'rows', training: 10, skipped: 0, heldOut: 10 },
      steps: { total: 3, done: 0, epochs: 1.2, batchSize: 4, perBatch: 1 },
      passes: { rows: 2, tokens: null },
      learningRate: { peak: 1e-2, scheduler: 'linear', warmupSteps: 0 },
      machine: { precision: 'fp32', device: 'cpu', threads: 1 },
      output: options.output,
    });
    expect(factOf(plan, 'objective')).toEqual({ name: 'sigmoid', beta: 0.1 });
    expect(factOf(plan, 'reference')).toMatchObject({ kind: 'base', precomputed: false });
    const { parameters, share } = plan.trained;
    expect(share).toBeCloseTo(parameters / (parameters + plan.model.parameters), 10);
    const checkpoints = join(options.output, 'checkpoints');
    expect(readdirSync(checkpoints)).toHaveLength(plan.checkpoints.count);
    const size = bytesIn(join(checkpoints, 'step-3'));
    expect(Math.abs(plan.checkpoints.bytesEach / size - 1)).toBeLessThan(0.15);
  });

  it('predicts the size of full checkpoints to a few percent, and how many remain', async () => {
    const options = optionsOf({ saveSteps: 1, saveTotalLimit: 2 });
    const { plan } = await align(options);
    expect(plan.trained).toMatchObject({ parameters: plan.model.parameters, share: 1 });
    expect(plan.trained.adapter).toBeNull();
    expect(factOf(plan, 'reference')).toMatchObject({ kind: 'initial', precomputed: true });
    const { count, bytesEach, resultBytes, neededBytes } = plan.checkpoints;
    expect(count).toBe(2);
    // A third one is written before the first is removed.
    expect(neededBytes).toBe(3 * bytesEach + resultBytes);
    const found = readdirSync(join(options.output, 'checkpoints'));
    expect(found.sort()).toEqual(['step-2', 'step-3']);
    const size = bytesIn(join(options.output, 'checkpoints/step-3'));
    expect(Math.abs(bytesEach / size - 1)).toBeLessThan(0.1);
    // The result also has some kilobytes of text: its card and the tokenizer.
    const text = bytesIn(join(options.output, 'final')) - resultBytes;
    expect(text).toBeGreaterThan(0);
    expect(text).toBeLessThan(16_000);
  });

  it('of a resumed run has the finished steps and the remaining checkpoints', async () => {
    const options = optionsOf({ ...lora, saveSteps: 1, saveTotalLimit: 5, scheduler: 'constant' });
    await align(options);
    const { plan } = await align({ ...options, maxSteps: 4, resume: true });
    expect(plan.steps).toMatchObject({ total: 4, done: 3 });
    const { count, bytesEach, resultBytes, neededBytes } = plan.checkpoints;
    expect(count).toBe(4);
    expect(neededBytes).toBe(bytesEach + resultBytes);
  });

  it('counts the copy of the policy that a moving reference needs', async () => {
    const still = await align(optionsOf({ ...lora, dryRun: true }));
    const { plan } = await align(optionsOf({ ...lora, referenceSyncSteps: 2, dryRun: true }));
    expect(factOf(plan, 'reference')).toEqual({ kind: 'moving', steps: 2, mix: 1 });
    const more = plan.checkpoints.bytesEach - still.plan.checkpoints.bytesEach;
    expect(more).toBe(4 * plan.trained.parameters);
  });

  it('reports that there is no reference', async () => {
    const { plan } = await align(optionsOf({ ...lora, loss: ['orpo'], dryRun: true }));
    expect(factOf(plan, 'reference')).toEqual({ kind: 'none' });
  });

  it('warns of a disk that is too small for the checkpoints, with the options to change', async () => {
    const given = { ...optionsOf({ ...lora, saveSteps: 1 }), maxSteps: 3 };
    const options = sftDefinition.complete(sftDefinition.schema.parse(given));
    using policy = await loadPolicy(options);
    using run = await RunFolder.create(options.output, { config: {} });
    const planned = {
      ...{ verb: 'sft', options, policy, rowKind: 'supervised', run, steps: 3, perBatch: 1 },
      ...{ source: { usable: 10, leftOut: 0 } as AnySource, evaluation: null, facts: [] },
      passes: planPasses(policy, options, () => {}),
    };
    const notices: string[] = [];
    const notice = (text: string): void => void notices.push(text);
    const { checkpoints } = await planRun(planned, notice, { free: 1000 });
    expect(checkpoints.freeBytes).toBe(1000);
    const names = [/^[^:]*run-\d+: /, /--save-total-limit/, /--save-steps none/, /--output/];
    for (const name of names) expect(notices[0]).toMatch(name);
    await planRun(planned, notice, { free: checkpoints.neededBytes });
    await planRun(planned, notice, { free: null });
    expect(notices).toHaveLength(1);
  });
});

describe('a dry run', () => {
  it('makes no folder, takes no step, and leaves no trace of an unfinished run', async () => {
    const options = optionsOf({ ...lora, evalData: [data], dryRun: true });
    const { types, result } = await align(options);
    expect(types).toEqual(['plan', 'data']);
    expect(result).toMatchObject({ step: 0, interrupted: false, dryRun: true });
    expect(existsSync(options.output)).toBe(false);
    const { types: real } = await align({ ...options, dryRun: false });
    expect(real).toContain('step');
  });

  it('leaves the files of a run as they are', async () => {
    const options = optionsOf({ ...lora, scheduler: 'constant', saveSteps: 1 });
    await align(options);
    writeFileSync(join(options.output, 'non-finite-rows.jsonl'), '{}\n');
    const files = (): string[] =>
      readdirSync(options.output, { recursive: true, withFileTypes: true })
        .filter((one) => one.isFile())
        .map((one) => {
          const path = join(one.parentPath, one.name);
          return `${path} ${readFileSync(path, 'base64')}`;
        })
        .sort();
    const before = files();
    const { plan } = await align({ ...options, maxSteps: 5, resume: true, dryRun: true });
    expect(plan).toMatchObject({ dryRun: true, steps: { total: 5, done: 3 } });
    await align({ ...options, overwrite: true, dryRun: true });
    expect(files()).toEqual(before);
  });

  it('computes no log-probabilities of a reference, but checks its tokens and length', async () => {
    const options = optionsOf({ ...lora, reference: inside('other'), dryRun: true });
    const { notices, plan } = await align(options);
    expect(notices.filter((text) => /log-probabilities/.test(text))).toEqual([]);
    expect(factOf(plan, 'reference')).toMatchObject({ kind: 'model', model: inside('other') });
    await expect(align({ ...options, reference: inside('none') })).rejects.toThrow(inside('none'));
  });

  it.each<[string, Partial<AlignPairsOptions>, RegExp]>([
    ['rows', { data: ['none.jsonl'] }, /none\.jsonl/],
    ['a model', { model: 'none' }, /no model at none/],
    ['targets of the adapter', { ...lora, loraTargets: ['nothing'] }, /nothing/],
    ['nothing to resume', { resume: true }, /config\.yaml/],
    [
      'a folder below a file',
      { output: join(import.meta.filename, 'run') },
      /run-plan\.test\.ts is a file/,
    ],
  ])('refuses what a run refuses: %s', async (_name, own, message) => {
    const options = optionsOf(own);
    const refusal = async (dryRun: boolean): Promise<string> => {
      const error: unknown = await alignPairs({ ...options, dryRun }).catch((one) => one);
      expect(error).toBeInstanceOf(Error);
      return (error as Error).message;
    };
    const dry = await refusal(true);
    expect(dry).toMatch(message);
    expect(await refusal(false)).toBe(dry);
  });

  it('refuses a folder that has a run, and one that another process writes to', async () => {
    const options = optionsOf(lora);
    await align(options);
    await expect(align({ ...options, dryRun: true })).rejects.toThrow(/--resume.*--overwrite/s);
    const other = optionsOf(lora);
    using _ = await RunFolder.create(other.output, { config: {} });
    await expect(align({ ...other, dryRun: true })).rejects.toThrow(`process ${process.pid}`);
  });

  it('of an online method opens the reward, and samples nothing', async () => {
    const prompts = inside('prompts.jsonl');
    writeFileSync(prompts, '{"prompt":"a"}\n{"prompt":"b"}\n');
    const options = {
      ...{ model: inside('model'), data: [prompts], output: inside('online'), dryRun: true },
      ...{
        maxNewTokens: 4,
        numGenerations: 2,
        batchSize: 2,
        beta: 0.1,
        precision: 'fp32' as const,
      },
    };
    const { plan, types } = await told((hooks) =>
      trainGrpo({ ...options, ...lora, reward: 'length:-4' }, hooks),
    );
    expect(types).toEqual(['plan', 'data']);
    expect(plan.rows).toMatchObject({ kind: 'prompts', training: 2 });
    expect(factOf(plan, 'sampling')).toMatchObject({ generations: 2, maxNewTokens: 4 });
    expect(factOf(plan, 'reward')).toMatchObject({ spec: 'length:-4' });
    expect(factOf(plan, 'reference')).toMatchObject({ kind: 'base', beta: 0.1 });
    const failing = trainGrpo({ ...options, ...lora, reward: inside('none') });
    await expect(failing).rejects.toThrow(/none/);
    expect(existsSync(options.output)).toBe(false);
  });

  it('of sft has the rows that fit', async () => {
    const texts = inside('texts.jsonl');
    writeFileSync(texts, '{"prompt":"a","completion":"b"}\n'.repeat(6));
    const { plan } = await told((hooks) =>
      fineTune({ ...optionsOf({ ...lora, dryRun: true }), data: [texts] }, hooks),
    );
    expect(plan).toMatchObject({ verb: 'sft', rows: { training: 6, heldOut: null }, facts: [] });
  });
});
