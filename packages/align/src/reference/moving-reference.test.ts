import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLora } from '@keel/model';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alignPairs } from '../methods/dpo/run-dpo.ts';
import { writePrompts, writeRewardModule } from '../methods/online/fixtures/prompt-files.ts';
import { trainOnlineDpo } from '../methods/online-dpo/online-dpo.ts';
import type { DpoOptions } from '../methods/pairs/dpo-options.ts';
import { expectSameRun, metricsOf } from '../testing/run-files.ts';
import { stopping } from '../testing/stopping.ts';
import {
  loadTiny,
  tinyRows,
  writeRowsFile,
  writeTinyChatModel,
} from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import { MovingReference } from './moving-reference.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-moving-'));
const inside = (name: string): string => join(folder, name);
let pairs: string;
let prompts: string;
let reward: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  pairs = writeRowsFile(folder, tinyRows(8));
  prompts = writePrompts(folder);
  reward = writeRewardModule(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const onPairs = (own: Partial<DpoOptions> = {}) => ({
  ...tinyRun,
  ...{ model: inside('model'), data: [pairs], output: inside(`run-${runs++}`) },
  ...{ lora: true, loraRank: 4, maxSteps: 6, scheduler: 'constant' as const },
  ...own,
});
const stepsOf = (run: string) => metricsOf(run).filter(({ loss }) => loss !== undefined);

describe('keel dpo with a reference that moves', () => {
  it('starts at ln 2 again each time the reference becomes the policy', async () => {
    const before = await liveMemory();
    const { path } = await alignPairs(onPairs({ referenceSyncSteps: 2 }));
    expect(await liveMemory()).toEqual(before);
    const steps = stepsOf(path);
    expect(steps.map((step) => step['reference/moves'])).toEqual([0, 0, 1, 1, 2, 2]);
    for (const [at, { loss, 'rewards/margins': margin }] of steps.entries()) {
      if (at % 2 === 0) {
        expect(loss).toBeCloseTo(Math.LN2, 6);
        expect(margin).toBe(0);
      } else expect(margin).not.toBe(0);
    }
    const still = stepsOf((await alignPairs(onPairs())).path);
    // Until its first move, nothing differs from a fixed reference.
    expect(steps.slice(0, 2).map(({ loss }) => loss)).toEqual(
      still.slice(0, 2).map(({ loss }) => loss),
    );
    expect(still[2]!.loss).not.toBe(steps[2]!.loss);
  });

  it('moves part of the way with a mix', async () => {
    const margins = async (referenceMix: number): Promise<number> => {
      const own = { referenceSyncSteps: 3, referenceMix, maxSteps: 4 };
      return stepsOf((await alignPairs(onPairs(own))).path)[3]!['rewards/margins']!;
    };
    const [little, half, whole] = [await margins(0.01), await margins(0.5), await margins(1)];
    expect(whole).toBe(0);
    expect(half).toBeGreaterThan(0);
    expect(little).toBeGreaterThan(half);
  });

  it('starts as the adapter of --adapter', async () => {
    const first = await alignPairs(onPairs());
    const { path } = await alignPairs(
      onPairs({ adapter: first.final, referenceSyncSteps: 2, maxSteps: 3 }),
    );
    const steps = stepsOf(path);
    expect(steps[0]!.loss).toBeCloseTo(Math.LN2, 6);
    expect(steps[0]!['rewards/margins']).toBe(0);
    expect(steps[2]!['rewards/margins']).toBe(0);
  });

  it('stopped and resumed, matches the uninterrupted run, byte for byte', async () => {
    const shape = {
      ...{ referenceSyncSteps: 2, referenceMix: 0.6, evalData: [pairs], evalSteps: 3 },
      ...{ saveSteps: 2, loraDropout: 0.2, maxSteps: 7 },
    };
    const whole = onPairs(shape);
    await alignPairs(whole);
    const broken = onPairs(shape);
    for (const [attempt, after] of [0, 1, 2, 5].entries()) {
      await alignPairs({ ...broken, resume: attempt > 0 }, stopping(after));
    }
    await alignPairs({ ...broken, resume: true });
    expectSameRun(broken.output, whole.output);
  });

  it('refuses the state of a run without one', async () => {
    const model = await loadTiny(inside('model'), 'float32', false);
    const adapter = { rank: 4, alpha: 8, targets: ['q_proj'], seed: 1 };
    addLora(model.decoder, 'policy', adapter);
    const moving = new MovingReference(model, 'policy', { steps: 1, mix: 1 });
    const { values, tensors } = moving.state();
    expect(() => moving.check(values, tensors)).not.toThrow();
    expect(() => moving.check(undefined, new Map())).toThrow(/no moving reference/);
    expect(() => moving.check(values, new Map([...tensors].slice(1)))).toThrow(/moving reference/);
    model.dispose();
  });

  it.each([
    [{ referenceSyncSteps: 2, lora: false }, /^referenceSyncSteps: .*LoRA/s],
    [{ referenceSyncSteps: 2, reference: 'other' }, /^referenceSyncSteps: .*reference other/s],
    [
      { referenceSyncSteps: 2, precomputeReference: true },
      /^precomputeReference: .*referenceSyncSteps/s,
    ],
    [{ referenceSyncSteps: 2, loss: ['simpo'] }, /^referenceSyncSteps: .*simpo/s],
    [{ referenceMix: 0.5 }, /^referenceMix: .*referenceSyncSteps/s],
  ])('refuses %o', async (own, message) => {
    await expect(alignPairs(onPairs(own))).rejects.toThrow(message);
  });
});

describe('keel online-dpo with a reference that moves', () => {
  it('compares each round with its initial policy, held-out answers with the first', async () => {
    const { path } = await trainOnlineDpo({
      ...tinyRun,
      ...{ model: inside('model'), data: [prompts], evalData: [prompts], reward },
      ...{ output: inside(`run-${runs++}`), loraRank: 4, maxNewTokens: 12, numGenerations: 4 },
      // Three steps per batch: a move is due within the second batch, and happens at the third.
      ...{ numIterations: 3, referenceSyncSteps: 4, maxSteps: 12, scheduler: 'constant' },
    });
    const steps = stepsOf(path);
    expect(steps.map((step) => step['reference/moves'])).toEqual([
      0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1,
    ]);
    const kl = steps.map((step) => step['objective/kl']!);
    expect([kl[0], kl[6]]).toEqual([0, 0]);
    expect(kl[3]).not.toBe(0);
    expect(kl[9]).not.toBe(0);
    expect(steps[6]!.loss).toBeCloseTo(Math.LN2, 6);
    const held = metricsOf(path).filter((row) => row['eval_objective/kl'] !== undefined);
    expect(held[0]!['eval_objective/kl']).toBe(0);
    expect(Math.abs(held.at(-1)!['eval_objective/kl']!)).toBeGreaterThan(0.01);
  });
});
