import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sgd, type Tensor, tensor, tidy } from '@keel/torch';
import { afterAll, describe, expect, it } from 'vitest';
import { MetricsLog } from '../runs/metrics.ts';
import { RunFolder } from '../runs/run-folder.ts';
import { RunFailedError } from './run-failed-error.ts';
import type { TrainingEvent } from './training-event.ts';
import { type LoopOptions, type LoopParts, trainingLoop } from './training-loop.ts';
import {
  type Metrics,
  NonFiniteLossError,
  type TaskState,
  type TrainingTask,
} from './training-task.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-loop-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Pulls a single weight from 8 towards 0: the loss is its square, the gradient twice itself. */
class Falling implements TrainingTask {
  readonly weight = tensor([8]).setRequiresGrad();
  readonly rows = [3, 4];
  tokens = 0;
  evaluations = 0;
  /** Called in a step, after the task has changed. */
  onStep = (): void => {};
  /** Called in an evaluation, before the task changes. */
  onEvaluation = (): void => {};

  async step(): Promise<Metrics> {
    this.tokens += 10;
    this.onStep();
    return tidy(() => {
      const loss = this.weight.square().sum();
      loss.backward();
      return { loss: loss.item() };
    });
  }
  async evaluate(): Promise<Metrics> {
    this.onEvaluation();
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
  prepare: (task: Falling, parts: LoopParts) => void = () => {},
): Promise<Ran> {
  const task = new Falling();
  const parameters = new Map<string, Tensor>([['weight', task.weight]]);
  const path = resume ?? join(folder, `run-${runs++}`);
  using run = await RunFolder.create(path, { config: { a: 1 }, resume: resume !== undefined });
  const controller = new AbortController();
  if (stopAfter === 0) controller.abort();
  const events: string[] = [];
  const onEvent = (event: TrainingEvent): void => {
    if ('step' in event) events.push(`${event.type} ${event.step}`);
    if (event.type === 'step' && event.step === stopAfter) controller.abort();
  };
  const optimiser = new Sgd(parameters);
  const saveWeights = (): void => {};
  const parts: LoopParts = {
    ...{ task, parameters, optimiser, run, saveWeights, onEvent },
    signal: controller.signal,
  };
  prepare(task, parts);
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

  it('evaluates, saves and logs at the given steps, and at the end', async () => {
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

  it('scales gradients down to the maximum norm, and logs the norm before that', async () => {
    const { task, metrics } = await loop({ totalSteps: 1, maxGradNorm: 2 });
    expect(metrics[1]!.grad_norm).toBe(16);
    expect(task.weight.item()).toBeCloseTo(7.5, 5);
  });

  it('follows the schedule', async () => {
    const { metrics } = await loop({ totalSteps: 4, scheduler: 'linear', warmupSteps: 2 });
    const rates = metrics.flatMap(({ learning_rate: rate }) => (rate === undefined ? [] : [rate]));
    expect(rates).toEqual([0, 0.125, 0.25, 0.125]);
  });

  it('writes a checkpoint when it is stopped, even unasked, and resumes from it', async () => {
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

  it('does not evaluate twice if it was stopped before its first step', async () => {
    const stopped = await loop({}, 0);
    expect(stopped.result).toEqual({ step: 0, interrupted: true });
    const resumed = await loop({}, undefined, stopped.path);
    expect(resumed.task.evaluations).toBe(1);
    expect(resumed.metrics.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 6]);
  });

  it('changes nothing if it is resumed after its last step', async () => {
    const { path, task, metrics } = await loop({ saveSteps: 6 });
    const again = await loop({ saveSteps: 6 }, undefined, path);
    expect(again.result).toEqual({ step: 6, interrupted: false });
    expect(again.task.weight.item()).toBe(task.weight.item());
    expect(again.metrics).toEqual(metrics);
  });
});

describe('when the loop ends early', () => {
  const fail = (): never => {
    throw new Error('ENOSPC: no space left');
  };
  /** Runs the body at the n-th call. */
  const at = (nth: number, body: () => void) => {
    let calls = 0;
    return (): void => void (++calls === nth && body());
  };
  const failing: Record<string, (task: Falling, parts: LoopParts) => void> = {
    'a step': (task) => {
      task.onStep = at(4, fail);
    },
    'an evaluation': (task) => {
      task.onEvaluation = at(2, fail);
    },
    'a display': (_, parts) => {
      const { onEvent } = parts;
      parts.onEvent = (event) => {
        onEvent(event);
        if (event.type === 'step' && event.step === 3) fail();
      };
    },
    // The thrown value is not an Error.
    'a thrown text': (task) => {
      task.onStep = at(4, () => {
        throw 'ENOSPC: no space left';
      });
    },
  };
  it.each(
    Object.keys(failing),
  )('%s that fails: earlier steps are saved and the run resumes bit for bit', async (what) => {
    const options = { evalSteps: 3 };
    const whole = await loop(options);
    let path = '';
    const error = await loop(options, undefined, undefined, (task, parts) => {
      failing[what]!(task, parts);
      path = parts.run.path;
    }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(RunFailedError);
    const { step, checkpoint, message } = error as RunFailedError;
    expect(step).toBe(3);
    expect(message).toBe(
      `ENOSPC: no space left\nThe state after step 3 is saved in ${checkpoint}.`,
    );
    const resumed = await loop(options, undefined, path);
    expect(resumed.events[0]).toBe('start 3');
    expect(resumed.task.weight.item()).toBe(whole.task.weight.item());
    expect(resumed.task.tokens).toBe(60);
    const clockless = (rows: Ran['metrics']) =>
      rows.map(({ step, loss, eval_loss }) => [step, loss, eval_loss]);
    expect(clockless(resumed.metrics)).toEqual(clockless(whole.metrics));
  });

  it('before a step has finished there is nothing to save', async () => {
    const error = await loop({}, undefined, undefined, (task) => {
      task.onStep = fail;
    }).catch((thrown) => thrown);
    expect(error).toMatchObject({
      ...{ step: 0, checkpoint: null },
      message: 'ENOSPC: no space left\nNo step had finished. Start again with the same command.',
    });
  });

  it('a checkpoint that cannot be written is reported with the newest one', async () => {
    const error = await loop({ saveSteps: 2 }, undefined, undefined, (_, parts) => {
      parts.saveWeights = at(2, fail);
    }).catch((thrown) => thrown);
    expect(error).toMatchObject({ step: 4, checkpoint: expect.stringMatching(/step-2$/) });
    expect(error.message).toMatch(
      /^ENOSPC: no space left\nThe state after step 4 could not be saved: ENOSPC.* The newest checkpoint is .*step-2\.$/,
    );
  });

  it('weights that the optimiser has partly changed are not saved', async () => {
    const error = await loop({}, undefined, undefined, (_, { optimiser }) => {
      const step = optimiser.step.bind(optimiser);
      optimiser.step = (rate) => {
        step(rate);
        at(1, fail)();
      };
    }).catch((thrown) => thrown);
    expect(error).toMatchObject({ step: 0, checkpoint: null });
    expect(error.message).toMatch(/could not be saved: the optimizer had changed a part/);
  });

  it('numbers that are not finite keep their error, and the previous step is saved', async () => {
    let path = '';
    const error = await loop({}, undefined, undefined, (task, { run }) => {
      path = run.path;
      task.onStep = at(3, () => {
        throw new NonFiniteLossError('the loss is NaN', [1]);
      });
    }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(NonFiniteLossError);
    expect(readdirSync(join(path, 'checkpoints'))).toEqual(['step-2']);
  });

  it.each([
    ['a step', 2],
    ['an evaluation', 3],
  ])('a task that ends %s when the signal fires: the run is stopped after step %d', async (what, after) => {
    const options = { evalSteps: 3 };
    let path = '';
    const stopped = await loop(options, undefined, undefined, (task, parts) => {
      path = parts.run.path;
      const controller = new AbortController();
      parts.signal = controller.signal;
      const leave = (): never => {
        controller.abort();
        throw controller.signal.reason;
      };
      if (what === 'a step') task.onStep = at(3, leave);
      else task.onEvaluation = at(2, leave);
    });
    expect(stopped.result).toEqual({ step: after, interrupted: true });
    const resumed = await loop(options, undefined, path);
    expect(resumed.metrics.map(({ step }) => step)).toEqual([0, 1, 2, 3, 3, 4, 5, 6, 6]);
    expect(resumed.task.weight.item()).toBe(8 / 2 ** 6);
    expect(resumed.task.tokens).toBe(60);
  });

  it('a run that is resumed with other steps reports its new rates', async () => {
    const linear = { scheduler: 'linear', saveSteps: 2 } as const;
    const { path } = await loop({ ...linear, totalSteps: 2 });
    const notices: string[] = [];
    await loop({ ...linear, totalSteps: 4 }, undefined, path, (_, parts) => {
      parts.notice = (text) => void notices.push(text);
    });
    expect(notices).toEqual([
      expect.stringMatching(/the learning rate was 0\.125 at step 2, and is 0\.125 at step 3/),
    ]);
  });
});
