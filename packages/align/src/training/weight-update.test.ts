import { AdamW, fromTypedArray, later, type Tensor, tidy } from '@keel/torch';
import { beforeAll, describe, expect, it } from 'vitest';
import { addShadowDevice } from '../../../torch/src/testing/shadow-device.ts';
import { readInStep } from './end-of-step.ts';
import { type Metrics, NonFiniteLossError, type TrainingTask } from './training-task.ts';
import { WeightUpdate } from './weight-update.ts';

beforeAll(async () => {
  await addShadowDevice();
}, 300_000);

/** Whose loss is the weights' sum times a factor; its last pass is said to be the last, or not. */
class SumTask implements TrainingTask {
  readonly tokens = 0;
  readonly rows = [3, 4];
  factor = 1;
  /** Whether the loss is finite, and its gradient is not. */
  steep = false;
  readonly #weight: Tensor;
  readonly #last: boolean;

  constructor(weight: Tensor, last: boolean) {
    this.#weight = weight;
    this.#last = last;
  }
  step(): Promise<Metrics> {
    const loss = tidy(() => {
      const weight = this.steep ? this.#weight.mul(0).sqrt() : this.#weight; // [2]
      const sum = weight.sum().mul(this.factor);
      sum.backward();
      return later({ sum }, (read) => {
        const value = read.sum[0]!;
        if (!Number.isFinite(value)) throw new NonFiniteLossError(`the loss is ${value}`, [3]);
        return value;
      });
    });
    const [value] = readInStep([loss], this.#last ? [loss] : null);
    return Promise.resolve({ loss: value as number });
  }
  evaluate = () => Promise.resolve(null);
  state = () => ({ values: {}, tensors: new Map<string, Tensor>() });
  check(): void {}
  restore(): void {}
}

function made(device: string, last: boolean) {
  const weight = fromTypedArray(Float32Array.of(1, 2)).to({ device }).setRequiresGrad();
  const parameters = new Map([['weight', weight]]);
  const optimiser = new AdamW(parameters);
  const task = new SumTask(weight, last);
  const update = new WeightUpdate({
    task,
    parameters,
    optimiser,
    maxGradNorm: 0.5,
    gradients: null,
  });
  const numbers = (): number[] => weight.detach().toArray();
  return { task, optimiser, update, numbers };
}

describe.each(['cpu', 'shadow'])('on %s', (device) => {
  it.each([
    true,
    false,
  ])('steps, clips and tells the norm; the last pass is known: %s', async (last) => {
    const { update, numbers, optimiser } = made(device, last);
    const metrics = await update.step(0.1);
    expect(metrics.loss).toBe(3);
    expect(metrics.grad_norm).toBeCloseTo(Math.SQRT2, 6);
    // The first step of AdamW is the learning rate, whatever the size of the gradient.
    numbers().forEach((one, at) => {
      expect(one).toBeCloseTo(at + 1 - 0.1, 6);
    });
    const first = optimiser.state().tensors.get('weight.first_moment')!;
    const clipped = 0.1 * 0.5 * Math.SQRT1_2;
    for (const one of first.toArray() as number[]) expect(one).toBeCloseTo(clipped, 6);
    expect(update.torn).toBe(false);
  });

  it.each([true, false])('changes nothing in a step that is not finite: %s', async (last) => {
    const { task, update, numbers, optimiser } = made(device, last);
    await update.step(0.1);
    const before = { weights: numbers(), step: optimiser.state().step };
    const moments = (): number[][] =>
      [...optimiser.state().tensors.values()].map((one) => one.toArray());
    const kept = moments();
    task.factor = Number.POSITIVE_INFINITY;
    await expect(update.step(0.1)).rejects.toThrow(/the loss is Infinity on rows 3 /);
    expect(update.torn).toBe(false);
    expect({ weights: numbers(), step: optimiser.state().step }).toEqual(before);
    expect(moments()).toEqual(kept);
  });

  it.each([true, false])('refuses a gradient that is not finite: %s', async (last) => {
    const { task, update, numbers } = made(device, last);
    task.steep = true;
    await expect(update.step(0.1)).rejects.toThrow(/the norm of the gradient is NaN on rows 3, 4 /);
    expect(numbers()).toEqual([1, 2]);
    expect(update.torn).toBe(false);
  });
});
