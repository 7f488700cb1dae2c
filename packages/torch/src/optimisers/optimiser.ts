import type { Tensor } from '../tensor.ts';

/**
 * What an optimiser needs to go on after a restart, by parameter name. Tensors stay the optimiser's
 * own.
 */
export interface OptimiserState {
  step: number;
  tensors: Map<string, Tensor>;
  /**
   * By parameter, how many of these steps it had no gradient in and stayed; those without an entry
   * had one in all.
   */
  missed?: Readonly<Record<string, number>>;
}

export interface Optimiser {
  /** Moves every parameter that has a gradient. `learningRate` is the one of this step. */
  step(learningRate: number): void;
  /** Forgets the gradients. */
  zeroGrad(): void;
  state(): OptimiserState;
  /**
   * @throws Error when a tensor is missing, unknown, or of another shape or type; then nothing is
   *   changed.
   */
  restore(state: OptimiserState): void;
  dispose(): void;
}

/** Copies saved tensors into an optimiser's own of the same names, all or none. */
export function restoreTensors(own: Map<string, Tensor>, saved: Map<string, Tensor>): void {
  for (const name of saved.keys()) {
    if (!own.has(name)) throw new Error(`the saved optimiser state has "${name}", unknown here`);
  }
  for (const [name, tensor] of own) {
    const source = saved.get(name);
    if (source === undefined) throw new Error(`the saved optimiser state lacks "${name}"`);
    if (`${source.shape}` !== `${tensor.shape}`) {
      throw new Error(
        `the saved optimiser state "${name}" has shape [${source.shape}], expected [${tensor.shape}]`,
      );
    }
    if (source.dtype !== tensor.dtype) {
      throw new Error(
        `the saved optimiser state "${name}" is ${source.dtype}, expected ${tensor.dtype}`,
      );
    }
  }
  for (const [name, tensor] of own) tensor.copy_(saved.get(name)!);
}

/** @throws Error when two names stand for one tensor: it would be moved twice a step. */
export function refuseShared(parameters: ReadonlyMap<string, Tensor>): void {
  const names = new Map<Tensor, string>();
  for (const [name, parameter] of parameters) {
    const other = names.get(parameter);
    if (other !== undefined) {
      throw new Error(`parameters "${other}" and "${name}" are one tensor: give it once`);
    }
    names.set(parameter, name);
  }
}

export function clearGradients(parameters: Iterable<Tensor>): void {
  for (const parameter of parameters) parameter.grad = null;
}
