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
  type Optimiser,
  type OptimiserState,
  refuseShared,
  restoreTensors,
} from './optimiser.ts';

/** Constants of AdamW. */
export interface AdamWOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
}

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
export class AdamW implements Optimiser {
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

  constructor(parameters: Map<string, Tensor>, options: AdamWOptions = {}) {
    this.#options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, ...options };
    refuseShared(parameters);
    this.#parameters = parameters;
    for (const [name, parameter] of parameters) {
      const like = { dtype: parameter.dtype, device: parameter.device };
      this.#first.set(name, zeros(parameter.shape, like).keep());
      this.#second.set(name, zeros(parameter.shape, like).keep());
    }
  }

  step(learningRate: number): void {
    this.#step += 1;
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    tidy(() =>
      noGrad(() => {
        const moved: Tensor[] = [];
        const gradients: Tensor[] = [];
        const first: Tensor[] = [];
        const second: Tensor[] = [];
        const steps: Tensor[] = [];
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
          moved.push(rowMajor);
          gradients.push(isRowMajor(gradient) ? gradient : gradient.contiguous());
          first.push(this.#first.get(name)!);
          second.push(this.#second.get(name)!);
          steps.push(countedSteps(counts, this.#step - missed, parameter.device));
        }
        if (moved.length === 0) return;
        ops.fusedAdamw_(
          moved,
          gradients,
          first,
          second,
          [],
          steps,
          learningRate,
          beta1,
          beta2,
          weightDecay,
          epsilon,
          false,
          false,
        );
        for (const [parameter, rowMajor] of scattered) parameter.copy_(rowMajor);
      }),
    );
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

  restore({ step, tensors, missed = {} }: OptimiserState): void {
    restoreTensors(this.#tensors(), tensors);
    this.#step = step;
    this.#missed = new Map(Object.entries(missed));
  }

  dispose(): void {
    for (const moment of this.#tensors().values()) moment.dispose();
  }
}
