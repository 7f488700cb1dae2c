// AdamW: decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2), by LibTorch's fused kernel.

import { noGrad } from '../autograd.ts';
import { tensor, zeros } from '../create.ts';
import * as ops from '../ops.generated.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import {
  clearGradients,
  type Optimiser,
  type OptimiserState,
  restoreTensors,
} from './optimiser.ts';

export interface AdamWOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
}

/** Keeps two moments of each parameter's shape and type. */
export class AdamW implements Optimiser {
  readonly #parameters: Map<string, Tensor>;
  readonly #first = new Map<string, Tensor>();
  readonly #second = new Map<string, Tensor>();
  readonly #options: Required<AdamWOptions>;
  #step = 0;

  constructor(parameters: Map<string, Tensor>, options: AdamWOptions = {}) {
    this.#options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, ...options };
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
        for (const [name, parameter] of this.#parameters) {
          const gradient = parameter.grad;
          if (gradient === null) continue;
          moved.push(parameter);
          gradients.push(gradient);
          first.push(this.#first.get(name)!);
          second.push(this.#second.get(name)!);
        }
        if (moved.length === 0) return;
        const steps = moved.map(() => tensor(this.#step));
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
    return { step: this.#step, tensors: this.#tensors() };
  }

  restore({ step, tensors }: OptimiserState): void {
    restoreTensors(this.#tensors(), tensors);
    this.#step = step;
  }

  dispose(): void {
    for (const moment of this.#tensors().values()) moment.dispose();
  }
}
