import type { Tensor } from '../tensor.ts';

/** What an optimiser needs to go on after a restart, by parameter name. Tensors stay the optimiser's own. */
export interface OptimiserState {
  step: number;
  tensors: Map<string, Tensor>;
}

export interface Optimiser {
  /** Moves every parameter that has a gradient. `learningRate` is the one of this step. */
  step(learningRate: number): void;
  /** Forgets the gradients. */
  zeroGrad(): void;
  state(): OptimiserState;
  /** @throws Error when a tensor is missing or has another shape. */
  restore(state: OptimiserState): void;
  dispose(): void;
}

/** Copies saved tensors into an optimiser's own of the same names. */
export function restoreTensors(own: Map<string, Tensor>, saved: Map<string, Tensor>): void {
  for (const [name, tensor] of own) {
    const source = saved.get(name);
    if (source === undefined) throw new Error(`the saved optimiser state lacks "${name}"`);
    if (`${source.shape}` !== `${tensor.shape}`) {
      throw new Error(
        `the saved optimiser state "${name}" has shape [${source.shape}], expected [${tensor.shape}]`,
      );
    }
    tensor.copy_(source);
  }
}

export function clearGradients(parameters: Iterable<Tensor>): void {
  for (const parameter of parameters) parameter.grad = null;
}
