// Python's values. An int is a JS number (a safe integer) or a bigint; a float whose value is a safe integer is a
// PythonFloat, any other JS number is a float as it is. str is Text, bool and None are JS's; the rest are classes.
import { PythonError, type PythonError as Raised, typeError } from './errors.ts';
import { makeRoom, spend } from './limits.ts';
import { isMarkup, type Origin, Str, type Text } from './text.ts';

/** A float whose value is integral, such as 20.0, which as a JS number would be an int. */
export class PythonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toJSON(): number {
    return this.value;
  }
}

export type Value = null | boolean | number | bigint | Text | PythonFloat | Undefined | PyObject;
export type Kwargs = ReadonlyMap<string, Value>;
export const noKwargs: Kwargs = new Map();

/** Every value that has attributes of its own. */
export abstract class PyObject {
  abstract readonly typeName: string;
  /** Module of the type, where it is not a builtin. */
  readonly module: string = 'builtins';

  /** The attribute, or undefined where there is none. */
  attribute(_name: string): Value | undefined {
    return undefined;
  }
}

/** An object that can be called. */
export abstract class PyCallable extends PyObject {
  abstract call(args: readonly Value[], kwargs: Kwargs): Value;
}

export class NativeFunction extends PyCallable {
  override readonly typeName: string = 'builtin_function_or_method';
  readonly name: string;
  readonly #body: (args: readonly Value[], kwargs: Kwargs) => Value;

  constructor(name: string, body: (args: readonly Value[], kwargs: Kwargs) => Value) {
    super();
    this.name = name;
    this.#body = body;
  }

  call(args: readonly Value[], kwargs: Kwargs): Value {
    return this.#body(args, kwargs);
  }
}

/** What a name or attribute gives that does not exist: empty where it is printed or looped over, an error elsewhere. */
export class Undefined {
  readonly #message: () => string;
  readonly #kind: string;

  constructor(message: () => string, kind = 'UndefinedError') {
    this.#message = message;
    this.#kind = kind;
  }

  get message(): string {
    return this.#message();
  }

  error(): Raised {
    return new PythonError(this.#kind, this.#message());
  }
}

export class List extends PyObject {
  override readonly typeName = 'list';
  readonly items: readonly Value[];
  readonly origin: Origin | null;

  constructor(items: readonly Value[], origin: Origin | null = null) {
    super();
    this.items = items;
    this.origin = origin;
  }
}

export class Tuple extends PyObject {
  override readonly typeName: string = 'tuple';
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }
}

/** What the filter groupby gives: a tuple whose parts have names. */
export class GroupTuple extends Tuple {
  override readonly typeName = '_GroupTuple';
  override readonly module = 'jinja2.filters';

  override attribute(name: string): Value | undefined {
    if (name === 'grouper') return this.items[0];
    return name === 'list' ? this.items[1] : undefined;
  }
}

export class Dict extends PyObject {
  override readonly typeName = 'dict';
  readonly origin: Origin | null;
  readonly #entries = new Map<unknown, [Value, Value]>();

  constructor(entries: Iterable<readonly [Value, Value]> = [], origin: Origin | null = null) {
    super();
    this.origin = origin;
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @throws PythonError where the key cannot be hashed */
  get(key: Value): Value | undefined {
    return this.#entries.get(hashKey(key))?.[1];
  }

  has(key: Value): boolean {
    return this.#entries.has(hashKey(key));
  }

  /** Only for a dict that is being made. An equal key keeps its place and its first form, as in Python. */
  set(key: Value, value: Value): void {
    const hash = hashKey(key);
    const entry = this.#entries.get(hash);
    if (entry === undefined) this.#entries.set(hash, [key, value]);
    else entry[1] = value;
  }

  entries(): IterableIterator<readonly [Value, Value]> {
    return this.#entries.values();
  }
}

/** What dict.keys(), .values() and .items() give. */
export class DictView extends PyObject {
  override readonly typeName: string;
  readonly kind: 'keys' | 'values' | 'items';
  readonly dict: Dict;

  constructor(kind: DictView['kind'], dict: Dict) {
    super();
    this.kind = kind;
    this.dict = dict;
    this.typeName = `dict_${kind}`;
  }

  override attribute(name: string): Value | undefined {
    return name === 'mapping' ? this.dict : undefined;
  }
}

export class Range extends PyObject {
  override readonly typeName = 'range';
  readonly start: number;
  readonly stop: number;
  readonly step: number;

  constructor(start: number, stop: number, step: number) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
  }

  get length(): number {
    return Math.max(0, Math.ceil((this.stop - this.start) / this.step));
  }

  at(index: number): number {
    return this.start + index * this.step;
  }

  override attribute(name: string): Value | undefined {
    return name === 'start' || name === 'stop' || name === 'step' ? this[name] : undefined;
  }
}

/** Values that can be taken once, such as what the filter map gives. */
export class PyIterator extends PyObject implements IterableIterator<Value> {
  override readonly typeName: string;
  readonly #values: Iterator<Value>;

  constructor(values: Iterable<Value>, typeName = 'generator') {
    super();
    this.#values = values[Symbol.iterator]();
    this.typeName = typeName;
  }

  next(): IteratorResult<Value> {
    return this.#values.next();
  }

  [Symbol.iterator](): this {
    return this;
  }
}

export class Namespace extends PyObject {
  override readonly typeName = 'Namespace';
  override readonly module = 'jinja2.utils';
  readonly attributes: Dict;

  constructor(attributes: Dict) {
    super();
    this.attributes = attributes;
  }

  override attribute(name: string): Value | undefined {
    return this.attributes.get(name);
  }
}

export const isInt = (value: unknown): value is boolean | number | bigint =>
  typeof value === 'boolean' || typeof value === 'bigint' || Number.isSafeInteger(value);

export const isFloat = (value: unknown): value is number | PythonFloat =>
  value instanceof PythonFloat || (typeof value === 'number' && !Number.isSafeInteger(value));

export const typeName = (value: Value): string => {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  if (value instanceof Str) return isMarkup(value) ? 'Markup' : 'str';
  if (isInt(value)) return 'int';
  if (isFloat(value)) return 'float';
  if (value instanceof Undefined) return 'Undefined';
  return (value as PyObject).typeName;
};

/** How Jinja2 names an object in the message of an undefined attribute. */
export const objectTypeName = (value: Value): string => {
  if (value === null) return 'None';
  if (value instanceof PyObject && value.module !== 'builtins') {
    return `${value.module}.${value.typeName} object`;
  }
  const name = typeName(value);
  return `${name === 'Markup' ? 'markupsafe.Markup' : name} object`;
};

// Keys of a JS Map that are equal exactly where Python's keys are: 1 == 1.0 == True, but not '1'.
const hashKey = (value: Value): unknown => {
  if (typeof value === 'string') return value.startsWith('\0') ? `\0s${value}` : value;
  if (value instanceof Str) return hashKey(value.text);
  if (typeof value === 'boolean') return Number(value);
  if (value === null) return null;
  if (value instanceof PythonFloat) return value.value + 0;
  if (typeof value === 'number') {
    // A large float is equal to the int of its value.
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (typeof value === 'bigint') return value;
  if (value instanceof Undefined) return Undefined;
  if (value instanceof Tuple) {
    spend(1);
    const key = `\0t${JSON.stringify(value.items.map((item) => tokenOf(hashKey(item))))}`;
    makeRoom(key.length);
    return key;
  }
  if (value instanceof List || value instanceof Dict) {
    throw typeError(`unhashable type: '${value.typeName}'`);
  }
  if (value instanceof Range)
    return `\0r${value.length},${value.length && value.start},${value.step}`;
  return value;
};

const identities = new WeakMap<object, number>();
let identityCount = 0;
const tokenOf = (key: unknown): string => {
  if (typeof key !== 'object' && typeof key !== 'function') return `${typeof key}:${String(key)}`;
  if (key === null) return 'null';
  let identity = identities.get(key);
  if (identity === undefined) {
    identity = identityCount++;
    identities.set(key, identity);
  }
  return `object:${identity}`;
};

/** The key by which a set of values tells them apart. @throws PythonError where the value cannot be hashed */
export const hashed = hashKey;
