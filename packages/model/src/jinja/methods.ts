// Methods of values; those of str are in text-*.ts. Methods that change a list or dict are missing,
// as in the sandbox.
import { positional } from './arguments.ts';
import { exactly } from './decimal.ts';
import { PythonError, typeError, unsupported, valueError } from './errors.ts';
import type { Method, Methods } from './method-types.ts';
import { float, floatValue, int, plainInt } from './numbers.ts';
import { equals, iterate } from './operators.ts';
import { repr, viewItems } from './repr.ts';
import { formatMethods, type Lookup } from './str-format.ts';
import { isText, type Text, textOf } from './text.ts';
import { caseMethods } from './text-case.ts';
import { textMethods } from './text-methods.ts';
import { splitMethods } from './text-split.ts';
import {
  Dict,
  DictView,
  isFloat,
  isInt,
  type Kwargs,
  List,
  NativeFunction,
  Range,
  Tuple,
  type Value,
} from './values.ts';

const strMethods: Methods<Text> = { ...textMethods, ...splitMethods, ...caseMethods };

/** The bound method `name` of a value, or undefined if its type has none. */
export const methodOf = (value: Value, name: string, lookup: Lookup): Value | undefined => {
  if (isText(value)) {
    return bound(strMethods, value, name) ?? bound(formatMethods(lookup), value, name);
  }
  if (value instanceof Dict) return bound(dictMethods, value, name);
  if (value instanceof List) return bound(listMethods, value, name);
  if (value instanceof Tuple) return bound(tupleMethods, value, name);
  if (value instanceof Range) return bound(tupleMethods, new Tuple([...iterate(value)]), name);
  if (value instanceof DictView) return bound(viewMethods, value, name);
  if (isInt(value)) return numberAttribute(value, name) ?? bound(intMethods, value, name);
  if (isFloat(value)) return floatAttribute(floatValue(value), name);
  return undefined;
};

const bound = <Self extends Value>(
  methods: Methods<Self>,
  self: Self,
  name: string,
): Value | undefined => {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) return undefined;
  return new NativeFunction(name, (args, kwargs) => method(self, args, kwargs));
};

/** A method that takes from `least` to `most` positional arguments. */
const takes =
  <Self>(
    name: string,
    least: number,
    most: number,
    body: (self: Self, args: readonly Value[]) => Value,
  ): Method<Self> =>
  (self, args, kwargs) => {
    positional(name, args, kwargs, least, most);
    return body(self, args);
  };

/** dict.fromkeys(). */
export const fromKeys = (args: readonly Value[], kwargs: Kwargs): Value => {
  positional('fromkeys', args, kwargs, 1, 2);
  const [keys, value = null] = args;
  return new Dict([...iterate(keys!)].map((key) => [key, value] as const));
};

const dictMethods: Methods<Dict> = {
  get: takes('get', 1, 2, (dict, [key, fallback = null]) => {
    const value = dict.get(key!);
    return value === undefined ? fallback : value;
  }),
  keys: takes('keys', 0, 0, (dict) => new DictView('keys', dict)),
  values: takes('values', 0, 0, (dict) => new DictView('values', dict)),
  items: takes('items', 0, 0, (dict) => new DictView('items', dict)),
  copy: takes('copy', 0, 0, (dict) => new Dict(dict.entries(), dict.origin)),
  fromkeys: (_, args, kwargs) => fromKeys(args, kwargs),
};

const count = (items: readonly Value[], [wanted]: readonly Value[]): number =>
  items.filter((item) => equals(item, wanted!)).length;

const indexIn = (type: string, items: readonly Value[], args: readonly Value[]): number => {
  const [wanted, from, to] = args;
  const limit = (value: Value | undefined, absent: number): number => {
    if (value === undefined) return absent;
    if (!isInt(value))
      throw typeError('slice indices must be integers or have an __index__ method');
    const number = Number(value);
    return Math.max(0, number < 0 ? number + items.length : number);
  };
  const end = Math.min(limit(to, items.length), items.length);
  for (let index = limit(from, 0); index < end; index++) {
    if (equals(items[index]!, wanted!)) return index;
  }
  const name = type === 'list' ? textOf(repr(wanted!)) : 'tuple.index(x): x';
  throw valueError(`${name} ${type === 'list' ? 'is not in list' : 'not in tuple'}`);
};

const listMethods: Methods<List> = {
  copy: takes('copy', 0, 0, (list) => new List(list.items, list.origin)),
  count: takes('count', 1, 1, (list, args) => count(list.items, args)),
  index: takes('index', 1, 3, (list, args) => indexIn('list', list.items, args)),
};

const tupleMethods: Methods<Tuple> = {
  count: takes('count', 1, 1, (tuple, args) => count(tuple.items, args)),
  index: takes('index', 1, 3, (tuple, args) => indexIn('tuple', tuple.items, args)),
};

const viewMethods: Methods<DictView> = {
  isdisjoint: takes('isdisjoint', 1, 1, (view, [other]) => {
    const items = viewItems(view);
    return ![...iterate(other!)].some((item) => items.some((own) => equals(own, item)));
  }),
};

type AnyInt = boolean | number | bigint;

const numberAttribute = (value: AnyInt, name: string): Value | undefined => {
  if (name === 'real' || name === 'numerator') return plainInt(value);
  if (name === 'imag') return 0;
  return name === 'denominator' ? 1 : undefined;
};

const magnitude = (value: AnyInt): string => {
  const number = BigInt(plainInt(value));
  return (number < 0n ? -number : number).toString(2);
};

const intMethods: Methods<AnyInt> = {
  bit_length: takes('bit_length', 0, 0, (value) =>
    Number(plainInt(value)) === 0 ? 0 : magnitude(value).length,
  ),
  bit_count: takes('bit_count', 0, 0, (value) => magnitude(value).replaceAll('0', '').length),
  conjugate: takes('conjugate', 0, 0, (value) => plainInt(value)),
  as_integer_ratio: takes('as_integer_ratio', 0, 0, (value) => new Tuple([plainInt(value), 1])),
  to_bytes: () => {
    throw unsupported('int.to_bytes() gives bytes, which are not supported');
  },
};

const floatAttribute = (value: number, name: string): Value | undefined => {
  if (name === 'real') return float(value);
  if (name === 'imag') return float(0);
  return bound(floatMethods, float(value), name);
};

const floatMethods: Methods<Value> = {
  is_integer: takes('is_integer', 0, 0, (value) => Number.isInteger(floatValue(value as number))),
  conjugate: takes('conjugate', 0, 0, (value) => value),
  as_integer_ratio: takes('as_integer_ratio', 0, 0, (self) => {
    const value = floatValue(self as number);
    if (!Number.isFinite(value)) {
      const infinite = !Number.isNaN(value);
      throw new PythonError(
        infinite ? 'OverflowError' : 'ValueError',
        `cannot convert ${infinite ? 'Infinity' : 'NaN'} to integer ratio`,
      );
    }
    let { mantissa, exponent } = exactly(value);
    while (exponent < 0 && (mantissa & 1n) === 0n && mantissa !== 0n) {
      mantissa >>= 1n;
      exponent++;
    }
    if (mantissa === 0n) return new Tuple([0, 1]);
    if (exponent >= 0) return new Tuple([int(mantissa << BigInt(exponent)), 1]);
    return new Tuple([int(mantissa), int(1n << BigInt(-exponent))]);
  }),
  hex: () => {
    throw unsupported('float.hex() is not supported');
  },
};
