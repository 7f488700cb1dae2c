// AdamW: decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2), with
// LibTorch's fused kernel.

import { noGrad } from '../autograd.ts';
import { full, zeros } from '../create.ts';
import type { Device } from '../dtype.ts';
import * as ops from '../ops.generated.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import {
  clearGradients,
  type OptimiserState,
  refuseShared,
  restoreTensors,
  type SavedOptimiserState,
  type SkippingOptimiser,
} from './optimiser.ts';

/** Constants of AdamW. */
export interface AdamWOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
  /** Factor on the learning rate of the parameter of this name (default: 1). */
  rateOf?(name: string): number;
}

/** Parameters of one learning rate, as the kernel takes them. */
interface Moved {
  parameters: Tensor[];
  gradients: Tensor[];
  first: Tensor[];
  second: Tensor[];
  steps: Tensor[];
}

const nothing = (): Moved => ({ parameters: [], gradients: [], first: [], second: [], steps: [] });

/** The options with their defaults. */
export const completed = (options: AdamWOptions): Required<AdamWOptions> => ({
  ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, rateOf: () => 1 },
  ...options,
});

/** Whether the elements are contiguous in memory, last dimension first. */
function isRowMajor(tensor: Tensor): boolean {
  const { shape, strides } = tensor;
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    const extent = shape[dim]!;
    if (extent !== 1 && strides[dim] !== expected) return false;
    expected *= extent;
  }
  return true;
}

/** The number of steps, where the kernel reads it: on the device of the parameters. */
function countedSteps(made: Map<string, Tensor>, steps: number, device: Device): Tensor {
  const key = `${steps} ${device}`;
  const count = made.get(key) ?? full([], steps, { device });
  made.set(key, count);
  return count;
}

/** Holds two moments of each parameter's shape and type. */
export class AdamW implements SkippingOptimiser {
  readonly #parameters: Map<string, Tensor>;
  readonly #first = new Map<string, Tensor>();
  readonly #second = new Map<string, Tensor>();
  readonly #options: Required<AdamWOptions>;
  #step = 0;
  /**
   * Number of steps in which a parameter had no gradient. As in torch.optim, its moments are
   * corrected only for the steps in which it had one.
   */
  #missed = new Map<string, number>();
  /** The same before the latest step. */
  #before = { step: 0, missed: new Map<string, number>() };

  constructor(parameters: Map<string, Tensor>, options: AdamWOptions = {}) {
    this.#options = completed(options);
    refuseShared(parameters);
    this.#parameters = parameters;
    for (const [name, parameter] of parameters) {
      const like = { dtype: parameter.dtype, device: parameter.device };
      this.#first.set(name, zeros(parameter.shape, like).keep());
      this.#second.set(name, zeros(parameter.shape, like).keep());
    }
  }

  step(learningRate: number, skip?: Tensor): void {
    this.#before = { step: this.#step, missed: new Map(this.#missed) };
    this.#step += 1;
    const { beta1, beta2, epsilon, weightDecay, rateOf } = this.#options;
    tidy(() =>
      noGrad(() => {
        const byRate = new Map<number, Moved>();
        const scattered: [Tensor, Tensor][] = [];
        const counts = new Map<string, Tensor>();
        for (const [name, parameter] of this.#parameters) {
          const gradient = parameter.grad;
          const missed = this.#missed.get(name) ?? 0;
          if (gradient === null) {
            this.#missed.set(name, missed + 1);
            continue;
          }
          // The kernel runs over memory in storage order, so tensors that are not row-major are
          // copied.
          const rowMajor = isRowMajor(parameter) ? parameter : parameter.contiguous();
          if (rowMajor !== parameter) scattered.push([parameter, rowMajor]);
          const factor = rateOf(name);
          const moved = byRate.get(factor) ?? nothing();
          byRate.set(factor, moved);
          moved.parameters.push(rowMajor);
          moved.gradients.push(isRowMajor(gradient) ? gradient : gradient.contiguous());
          moved.first.push(this.#first.get(name)!);
          moved.second.push(this.#second.get(name)!);
          moved.steps.push(countedSteps(counts, this.#step - missed, parameter.device));
        }
        for (const [factor, { parameters, gradients, first, second, steps }] of byRate) {
          ops.fusedAdamw_(
            parameters,
            gradients,
            first,
            second,
            [],
            steps,
            learningRate * factor,
            beta1,
            beta2,
            weightDecay,
            epsilon,
            false,
            false,
            null,
            skip ?? null,
          );
        }
        for (const [parameter, rowMajor] of scattered) parameter.copy_(rowMajor);
      }),
    );
  }

  takeBack(): void {
    this.#step = this.#before.step;
    this.#missed = this.#before.missed;
  }

  zeroGrad(): void {
    clearGradients(this.#parameters.values());
  }

  #tensors(): Map<string, Tensor> {
    const all = new Map<string, Tensor>();
    for (const [name, moment] of this.#first) all.set(`${name}.first_moment`, moment);
    for (const [name, moment] of this.#second) all.set(`${name}.second_moment`, moment);
    return all;
  }

  state(): OptimiserState {
    const tensors = this.#tensors();
    if (this.#missed.size === 0) return { step: this.#step, tensors };
    return { step: this.#step, tensors, missed: Object.fromEntries(this.#missed) };
  }

  restore({ step, tensors, missed = {} }: SavedOptimiserState): void {
    restoreTensors(this.#tensors(), tensors);
    this.#step = step;
    this.#missed = new Map(Object.entries(missed));
  }

  dispose(): void {
    for (const moment of this.#tensors().values()) moment.dispose();
  }
}
