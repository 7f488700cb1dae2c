import { typeError } from './errors.ts';
import { spend } from './limits.ts';
import { type Kwargs, PyCallable, typeName, Undefined, type Value } from './values.ts';

/** target(*args, **kwargs). @throws PythonError if the target cannot be called, or fails */
export const call = (target: Value, args: readonly Value[], kwargs: Kwargs): Value => {
  spend(1);
  if (target instanceof PyCallable) return target.call(args, kwargs);
  if (target instanceof Undefined) throw target.error();
  throw typeError(`'${typeName(target)}' object is not callable`);
};
