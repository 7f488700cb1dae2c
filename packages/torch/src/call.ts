// The only path from TypeScript to an operator; ops.generated.ts uses it.
import { type DType, dtypeCode } from './dtype.ts';
import { type Handle, native } from './native.ts';
import { Tensor } from './tensor.ts';

/** An operator, looked up in the dispatcher at its first call. */
export interface LazyOperator {
  index: number;
  readonly name: string;
  readonly overload: string;
}

export const lazy = (name: string, overload: string): LazyOperator => ({
  index: -1,
  name,
  overload,
});

export function call(operator: LazyOperator, ...args: unknown[]): unknown {
  if (operator.index < 0) operator.index = native.findOperator(operator.name, operator.overload);
  return native.call(operator.index, ...args);
}

export const handleOf = (one: Tensor | null): Handle | null => (one === null ? null : one.handle);
export const codeOf = (dtype: DType | null | undefined): number | undefined =>
  dtype == null ? undefined : dtypeCode(dtype);
export const tensor = (handle: unknown): Tensor => new Tensor(handle as Handle);
export const tensors = (handles: unknown): Tensor[] => (handles as Handle[]).map(tensor);
