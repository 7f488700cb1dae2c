// Every method on a device that is not the CPU: a tensor that was left on the host is an error
// there, and the numbers are those of the CPU.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setThreads } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addShadowDevice, type ShadowDevice } from '../../../torch/src/testing/shadow-device.ts';
import { pairedObjectiveNames } from '../objectives/registry.ts';
import {
  largestDifferences,
  type MethodRun,
  objectiveRun,
  trainOn,
  writeMethodRuns,
} from '../testing/method-runs.ts';
import { stopping } from '../testing/stopping.ts';
import type { RunHooks } from '../training/run-training.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-devices-'));
const runs = writeMethodRuns(folder);
let count = 0;
// Tiny tensors: a second thread would only wait.
setThreads(1);
let shadow: ShadowDevice;
beforeAll(async () => {
  shadow = await addShadowDevice();
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function newPlace(): string {
  const place = join(folder, `${count++}`);
  mkdirSync(place);
  return place;
}

const on = (device: string, run: MethodRun, hooks: RunHooks = {}) =>
  trainOn(device, run, { folder, place: newPlace(), hooks });

async function expectSame(run: MethodRun): Promise<void> {
  const found = await on('shadow', run);
  const { metrics, weights } = largestDifferences(found, await on('cpu', run));
  expect(found.weights.size).toBeGreaterThan(0);
  expect(metrics.difference, metrics.where).toBeLessThan(1e-5);
  expect(weights.difference, weights.where).toBeLessThan(1e-4);
}

describe('a run on another device has the numbers of the CPU', () => {
  it.each(runs.map((run) => [run.name, run] as const))('%s', (_, run) => expectSame(run));
  it.each(pairedObjectiveNames)('dpo --loss %s', (loss) => expectSame(objectiveRun(runs, loss)));
});

it.each([
  'dpo, LoRA, recomputed',
  'kto, full',
  'grpo',
])('a run on another device that was stopped is resumed bit for bit: %s', async (name) => {
  const given = runs.find((one) => one.name === name)!;
  const run = { ...given, options: { ...given.options, maxSteps: 3, saveSteps: 1 } };
  const where = { folder, place: newPlace() };
  await trainOn('shadow', run, { ...where, hooks: stopping(1) });
  const resumed = { ...run, options: { ...run.options, resume: true } };
  expect(await trainOn('shadow', resumed, where)).toEqual(await on('shadow', run));
});

/** How often a step of one pass waits for the device; docs/guide/gpu.md has these numbers. */
const waits: Record<string, number> = {
  // The numbers of all passes, and the norm of the gradient with them.
  ...{ 'sft, LoRA': 1, 'sft, full': 1, 'dpo, LoRA': 1, 'dpo, full': 1, 'reward, LoRA': 1 },
  'dpo on rankings, LoRA': 1,
  // Before, policy and reference of the mismatched answers.
  'kto, LoRA': 3,
  // A pass each for policy and critic; the answers were sampled before.
  ppo: 3,
};

/** How often each step waits. */
async function waitsOf(run: MethodRun, options: Record<string, unknown>): Promise<number[]> {
  const { evalData: _, ...others } = run.options;
  const found: number[] = [];
  const hooks: RunHooks = {
    onEvent({ type }) {
      if (type !== 'step') return;
      const { scalars, toHost, fromHost, sizes } = shadow.takeCounts();
      found.push(scalars + toHost + fromHost + sizes);
    },
  };
  await on('shadow', { ...run, options: { ...others, ...options } }, hooks);
  return found;
}

describe('a step waits for the device only to read its numbers', () => {
  it.each(Object.entries(waits))('%s', async (name, expected) => {
    const run = runs.find((one) => one.name === name)!;
    const found = await waitsOf(run, { batchSize: 4, microBatchSize: 4, maxSteps: 3 });
    // The first steps also compute the reference's scores of rows that are new.
    expect(found[2]).toBe(expected);
  });

  it.each(['sft, LoRA', 'dpo, full', 'reward, LoRA'])('once for all passes: %s', async (name) => {
    const run = runs.find((one) => one.name === name)!;
    const found = await waitsOf(run, { batchSize: 4, microBatchSize: 1, maxSteps: 3 });
    expect(found[2]).toBe(1);
  });
});
