// The methods of a Python type, by name.
import type { Kwargs, Value } from './values.ts';

export type Method<Self> = (self: Self, args: readonly Value[], kwargs: Kwargs) => Value;
export type Methods<Self> = Record<string, Method<Self>>;
