import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sgd, type Tensor, tensor, tidy } from '@keel/torch';
import { afterAll, describe, expect, it } from 'vitest';
import { MetricsLog } from '../runs/metrics.ts';
import { RunFolder } from '../runs/run-folder.ts';
import { type LoopOptions, type TrainingEvent, trainingLoop } from './training-loop.ts';
import type { Metrics, TaskState, TrainingTask } from './training-task.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-loop-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Pulls one weight of 8 towards 0: the loss is its square, the gradient twice itself. */
class Falling implements TrainingTask {
  readonly weight = tensor([8]).setRequiresGrad();
  readonly rows = [3, 4];
  tokens = 0;
  evaluations = 0;

  async step(): Promise<Metrics> {
    this.tokens += 10;
    return tidy(() => {
      const loss = this.weight.square().sum();
      loss.backward();
      return { loss: loss.item() };
    });
  }
  async evaluate(): Promise<Metrics> {
    this.evaluations += 1;
    return { loss: tidy(() => this.weight.square().sum().item()) };
  }
  state(): TaskState {
    return { values: { tokens: this.tokens }, tensors: new Map() };
  }
  check(): void {}
  restore({ values }: TaskState): void {
    this.tokens = values.tokens as number;
  }
}

const usual: LoopOptions = {
  totalSteps: 6,
  learningRate: 0.25,
  scheduler: 'constant',
  warmupSteps: 0,
  maxGradNorm: null,
  evalSteps: null,
  saveSteps: null,
  saveTotalLimit: null,
  logEvery: 1,
};

interface Ran {
  task: Falling;
  result: { step: number; interrupted: boolean };
  events: string[];
  metrics: Record<string, number>[];
  path: string;
}

let runs = 0;
async function loop(
  own: Partial<LoopOptions> = {},
  stopAfter?: number,
  resume?: string,
): Promise<Ran> {
  const task = new Falling();
  const parameters = new Map<string, Tensor>([['weight', task.weight]]);
  const path = resume ?? join(folder, `run-${runs++}`);
  using run = await RunFolder.create(path, { config: { a: 1 }, resume: resume !== undefined });
  const controller = new AbortController();
  if (stopAfter === 0) controller.abort();
  const events: string[] = [];
  const onEvent = (event: TrainingEvent): void => {
    events.push(`${event.type} ${event.step}`);
    if (event.type === 'step' && event.step === stopAfter) controller.abort();
  };
  const optimiser = new Sgd(parameters);
  const saveWeights = (): void => {};
  const parts = {
    task,
    parameters,
    optimiser,
    run,
    saveWeights,
    onEvent,
    signal: controller.signal,
  };
  const result = await trainingLoop(parts, { ...usual, ...own });
  return { task, result, events, metrics: MetricsLog.read(run.metricsPath), path };
}

describe('trainingLoop', () => {
  it('evaluates before the first step and after the last, and logs every step', async () => {
    const { result, events, metrics, task } = await loop({ totalSteps: 3 });
    expect(result).toEqual({ step: 3, interrupted: false });
    expect(events).toEqual([
      ...['start 0', 'evaluation 0', 'step 1', 'step 2', 'step 3', 'evaluation 3'],
    ]);
    // Each step halves the weight: 8 - 0.25 * 16 = 4.
    expect(task.weight.item()).toBe(1);
    expect(metrics.map(({ step, loss, eval_loss }) => [step, loss, eval_loss])).toEqual([
      [0, undefined, 64],
      [1, 64, undefined],
      [2, 16, undefined],
      [3, 4, undefined],
      [3, undefined, 1],
    ]);
    expect(metrics[1]).toMatchObject({ grad_norm: 16, learning_rate: 0.25 });
    expect(metrics[1]!.tokens_per_second).toBeGreaterThan(0);
  });

  it('evaluates, saves and logs at the steps it is told to, and at the end', async () => {
    const { events, metrics } = await loop({
      totalSteps: 5,
      evalSteps: 2,
      saveSteps: 3,
      logEvery: 4,
    });
    expect(events.filter((event) => !event.startsWith('step'))).toEqual([
      ...['start 0', 'evaluation 0', 'evaluation 2', 'checkpoint 3', 'evaluation 4'],
      ...['evaluation 5', 'checkpoint 5'],
    ]);
    expect(metrics.flatMap(({ step, loss }) => (loss === undefined ? [] : [step]))).toEqual([4, 5]);
  });

  it('keeps the newest checkpoints', async () => {
    const { path } = await loop({ saveSteps: 1, saveTotalLimit: 2 });
    expect(readdirSync(join(path, 'checkpoints')).sort()).toEqual(['step-5', 'step-6']);
  });

  it('scales gradients down to the largest norm, and logs the norm before', async () => {
    const { task, metrics } = await loop({ totalSteps: 1, maxGradNorm: 2 });
    expect(metrics[1]!.grad_norm).toBe(16);
    expect(task.weight.item()).toBeCloseTo(7.5, 5);
  });

  it('follows the schedule', async () => {
    const { metrics } = await loop({ totalSteps: 4, scheduler: 'linear', warmupSteps: 2 });
    const rates = metrics.flatMap(({ learning_rate: rate }) => (rate === undefined ? [] : [rate]));
    expect(rates).toEqual([0, 0.125, 0.25, 0.125]);
  });

  it('writes a checkpoint when it is stopped, though none was asked for, and goes on from it', async () => {
    const stopped = await loop({}, 2);
    expect(stopped.result).toEqual({ step: 2, interrupted: true });
    expect(stopped.events.at(-1)).toBe('checkpoint 2');
    const resumed = await loop({}, undefined, stopped.path);
    expect(resumed.events[0]).toBe('start 2');
    expect(resumed.events).not.toContain('evaluation 0');
    expect(resumed.task.weight.item()).toBe(8 / 2 ** 6);
    expect(resumed.task.tokens).toBe(60);
    expect(resumed.metrics.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 6]);
  });

  it('stopped before its first step does not evaluate twice', async () => {
    const stopped = await loop({}, 0);
    expect(stopped.result).toEqual({ step: 0, interrupted: true });
    const resumed = await loop({}, undefined, stopped.path);
    expect(resumed.task.evaluations).toBe(1);
    expect(resumed.metrics.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 6]);
  });

  it('resumed after its last step changes nothing', async () => {
    const { path, task, metrics } = await loop({ saveSteps: 6 });
    const again = await loop({ saveSteps: 6 }, undefined, path);
    expect(again.result).toEqual({ step: 6, interrupted: false });
    expect(again.task.weight.item()).toBe(task.weight.item());
    expect(again.metrics).toEqual(metrics);
  });
});
