import type { DType } from '../dtype.ts';
import type { Tensor } from '../tensor.ts';

/**
 * The state that an optimiser needs to resume, by parameter name. The optimiser still owns the
 * tensors.
 */
export interface OptimiserState {
  step: number;
  tensors: Map<string, Tensor>;
  /**
   * By parameter, the number of these steps in which it had no gradient and did not change. A
   * parameter without an entry had a gradient in all of them.
   */
  missed?: Readonly<Record<string, number>>;
}

/** A saved tensor that is read when it is needed. The caller owns what `read` returns. */
export interface UnreadTensor {
  shape: readonly number[];
  dtype: DType;
  read(): Tensor;
}

/** An {@link OptimiserState} whose tensors may still be in a file. */
export interface SavedOptimiserState extends Omit<OptimiserState, 'tensors'> {
  tensors: ReadonlyMap<string, Tensor | UnreadTensor>;
}

/** Updates parameters from their gradients. */
export interface Optimiser {
  /** Updates every parameter that has a gradient. `learningRate` applies to this step. */
  step(learningRate: number): void;
  /** Clears the gradients. */
  zeroGrad(): void;
  state(): OptimiserState;
  /**
   * @throws Error if a tensor is missing, unknown, or of another shape or type. Nothing is changed
   *   then.
   */
  restore(state: SavedOptimiserState): void;
  dispose(): void;
}

/** An optimiser that leaves everything as it is where the device finds that it must. */
export interface SkippingOptimiser extends Optimiser {
  /** @param skip [] float32 on the device of the parameters: 1 changes no weight and no moment */
  step(learningRate: number, skip?: Tensor): void;
  /** Forgets the step before, which was skipped. */
  takeBack(): void;
}

/** Whether the device can skip a step of it. */
export const isSkipping = (one: Optimiser): one is SkippingOptimiser => 'takeBack' in one;

/** An optimiser whose state several processes share. All of them call its functions, in order. */
export interface SharedOptimiser extends Optimiser {
  /**
   * Sums the gradients of all processes, and clips their joint 2-norm as `clipGradients` does. The
   * parameters have none afterwards.
   * @returns the norm before clipping
   */
  reduce(maximum: number): Promise<number>;
  /** Updates every parameter that had a gradient. */
  stepTogether(learningRate: number): Promise<void>;
}

/** Whether processes share its state. */
export const isShared = (one: Optimiser): one is SharedOptimiser => 'stepTogether' in one;

/**
 * Copies saved tensors into an optimiser's own tensors of the same names: all, or none on an error.
 * @param assign copies one
 */
export function restoreTensors(
  own: ReadonlyMap<string, Tensor>,
  saved: SavedOptimiserState['tensors'],
  assign = (tensor: Tensor, source: Tensor): unknown => tensor.copy_(source),
): void {
  for (const name of saved.keys()) {
    if (!own.has(name))
      throw new Error(`the saved optimiser state has the unknown entry "${name}"`);
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
  for (const [name, tensor] of own) {
    const source = saved.get(name)!;
    if (!('read' in source)) assign(tensor, source);
    else {
      using read = source.read();
      assign(tensor, read);
    }
  }
}

/** @throws Error if two names refer to one tensor, which would be updated twice per step. */
export function refuseShared(parameters: ReadonlyMap<string, Tensor>): void {
  const names = new Map<Tensor, string>();
  for (const [name, parameter] of parameters) {
    const other = names.get(parameter);
    if (other !== undefined) {
      throw new Error(`parameters "${other}" and "${name}" are the same tensor. Pass it once`);
    }
    names.set(parameter, name);
  }
}

export function clearGradients(parameters: Iterable<Tensor>): void {
  for (const parameter of parameters) parameter.grad = null;
}
