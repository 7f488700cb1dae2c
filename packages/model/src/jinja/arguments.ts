import { typeError } from './errors.ts';
import { isText, type Text } from './text.ts';
import { type Kwargs, typeName, type Value } from './values.ts';

/** A parameter's name and optional default. */
export type Parameter = readonly [name: string, fallback?: Value];

/**
 * Binds arguments to parameters by position and name, as a Python call does.
 * @throws PythonError if one is missing, unknown or given twice
 */
export const bind = (
  name: string,
  parameters: readonly Parameter[],
  args: readonly Value[],
  kwargs: Kwargs,
): Value[] => {
  if (args.length > parameters.length) {
    const most = `${parameters.length} argument${parameters.length === 1 ? '' : 's'}`;
    throw typeError(`${name}() takes at most ${most} (${args.length} given)`);
  }
  const values: (Value | undefined)[] = [...args];
  for (const [key, value] of kwargs) {
    const index = parameters.findIndex(([parameter]) => parameter === key);
    if (index < 0) throw typeError(`${name}() got an unexpected keyword argument '${key}'`);
    if (index < args.length) throw typeError(`${name}() got multiple values for argument '${key}'`);
    values[index] = value;
  }
  return parameters.map(([parameter, fallback], index) => {
    const value = values[index] ?? (values[index] === null ? null : fallback);
    if (value !== undefined) return value;
    throw typeError(`${name}() missing required argument: '${parameter}'`);
  });
};

/** @throws PythonError if there are other than `least` to `most` arguments, or named ones */
export const positional = (
  name: string,
  args: readonly Value[],
  kwargs: Kwargs,
  least: number,
  most = least,
): void => {
  if (kwargs.size > 0) throw typeError(`${name}() takes no keyword arguments`);
  if (args.length >= least && args.length <= most) return;
  const expected = least === most ? `exactly ${least}` : `from ${least} to ${most}`;
  throw typeError(
    `${name}() takes ${expected} argument${most === 1 ? '' : 's'} (${args.length} given)`,
  );
};

/** @throws PythonError if the argument is not a str */
export const textArgument = (name: string, value: Value): Text => {
  if (isText(value)) return value;
  throw typeError(`${name}() argument must be str, not ${typeName(value)}`);
};
