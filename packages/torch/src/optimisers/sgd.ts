// Stochastic gradient descent with momentum, as PyTorch defines it: v = m v + g, p = p - lr v.
import { noGrad } from '../autograd.ts';
import { zeros } from '../create.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import {
  clearGradients,
  type Optimiser,
  type OptimiserState,
  refuseShared,
  restoreTensors,
  type SavedOptimiserState,
} from './optimiser.ts';

/** Constants of stochastic gradient descent. */
export interface SgdOptions {
  momentum?: number;
  weightDecay?: number;
}

/** Stochastic gradient descent, with optional momentum. */
export class Sgd implements Optimiser {
  readonly #parameters: Map<string, Tensor>;
  readonly #velocity = new Map<string, Tensor>();
  readonly #momentum: number;
  readonly #weightDecay: number;
  #step = 0;

  constructor(parameters: Map<string, Tensor>, { momentum = 0, weightDecay = 0 }: SgdOptions = {}) {
    refuseShared(parameters);
    this.#parameters = parameters;
    this.#momentum = momentum;
    this.#weightDecay = weightDecay;
    if (momentum === 0) return;
    for (const [name, parameter] of parameters) {
      const like = { dtype: parameter.dtype, device: parameter.device };
      this.#velocity.set(`${name}.velocity`, zeros(parameter.shape, like).keep());
    }
  }

  step(learningRate: number): void {
    this.#step += 1;
    tidy(() =>
      noGrad(() => {
        for (const [name, parameter] of this.#parameters) {
          let direction = parameter.grad;
          if (direction === null) continue;
          if (this.#weightDecay > 0) direction = direction.add(parameter, this.#weightDecay);
          const velocity = this.#velocity.get(`${name}.velocity`);
          if (velocity !== undefined) direction = velocity.mul_(this.#momentum).add_(direction);
          parameter.add_(direction, -learningRate);
        }
      }),
    );
  }

  zeroGrad(): void {
    clearGradients(this.#parameters.values());
  }
  state(): OptimiserState {
    return { step: this.#step, tensors: this.#velocity };
  }
  restore({ step, tensors }: SavedOptimiserState): void {
    restoreTensors(this.#velocity, tensors);
    this.#step = step;
  }
  dispose(): void {
    for (const velocity of this.#velocity.values()) velocity.dispose();
  }
}
