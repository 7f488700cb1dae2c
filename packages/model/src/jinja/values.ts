// Python's values. An int is a JS number that is a safe integer, or a bigint. A float whose value
// is a safe integer is a PythonFloat; any other JS number is a float. A str is Text, a bool a
// boolean, None null; other types are classes.
import { PythonFloat } from '../json/python-float.ts';
import { PythonError, type PythonError as Raised, typeError } from './errors.ts';
import { makeRoom, spend } from './limits.ts';
import { isMarkup, type Origin, Str, type Text } from './text.ts';

export { PythonFloat };

export type Value = null | boolean | number | bigint | Text | PythonFloat | Undefined | PyObject;
export type Kwargs = ReadonlyMap<string, Value>;
export const noKwargs: Kwargs = new Map();

/** Base class of objects. */
export abstract class PyObject {
  abstract get typeName(): string;

  /** The module of the object's type. */
  get module(): string {
    return 'builtins';
  }

  /** The attribute, or undefined if it does not exist. */
  attribute(_name: string): Value | undefined {
    return undefined;
  }
}

/** Base class of objects that can be called. */
export abstract class PyCallable extends PyObject {
  abstract call(args: readonly Value[], kwargs: Kwargs): Value;
}

export class NativeFunction extends PyCallable {
  override get typeName(): string {
    return 'builtin_function_or_method';
  }
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

/**
 * A missing name or attribute. It prints and iterates as empty; most other operations are errors.
 */
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
  override get typeName(): string {
    return 'list';
  }
  readonly items: readonly Value[];
  readonly origin: Origin | null;

  constructor(items: readonly Value[], origin: Origin | null = null) {
    super();
    this.items = items;
    this.origin = origin;
  }
}

export class Tuple extends PyObject {
  override get typeName(): string {
    return 'tuple';
  }
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }
}

/** An item of the filter groupby: a named tuple. */
export class GroupTuple extends Tuple {
  override get typeName(): string {
    return '_GroupTuple';
  }
  override get module(): string {
    return 'jinja2.filters';
  }

  override attribute(name: string): Value | undefined {
    if (name === 'grouper') return this.items[0];
    return name === 'list' ? this.items[1] : undefined;
  }
}

export class Dict extends PyObject {
  override get typeName(): string {
    return 'dict';
  }
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

  /** @throws PythonError if the key cannot be hashed */
  get(key: Value): Value | undefined {
    return this.#entries.get(hashKey(key))?.[1];
  }

  has(key: Value): boolean {
    return this.#entries.has(hashKey(key));
  }

  /**
   * For use during construction only. As in Python, an equal key keeps its position and first form.
   */
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

/** The result of dict.keys(), .values() or .items(). */
export class DictView extends PyObject {
  readonly kind: 'keys' | 'values' | 'items';
  readonly dict: Dict;

  constructor(kind: DictView['kind'], dict: Dict) {
    super();
    this.kind = kind;
    this.dict = dict;
  }

  override get typeName(): string {
    return `dict_${this.kind}`;
  }

  override attribute(name: string): Value | undefined {
    return name === 'mapping' ? this.dict : undefined;
  }
}

export class Range extends PyObject {
  override get typeName(): string {
    return 'range';
  }
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

/** An iterator that can be consumed once, such as the result of the filter map. */
export class PyIterator extends PyObject implements IterableIterator<Value> {
  readonly #typeName: string;
  readonly #values: Iterator<Value>;

  constructor(values: Iterable<Value>, typeName = 'generator') {
    super();
    this.#values = values[Symbol.iterator]();
    this.#typeName = typeName;
  }

  override get typeName(): string {
    return this.#typeName;
  }

  next(): IteratorResult<Value> {
    return this.#values.next();
  }

  [Symbol.iterator](): this {
    return this;
  }
}

export class Namespace extends PyObject {
  override get typeName(): string {
    return 'Namespace';
  }
  override get module(): string {
    return 'jinja2.utils';
  }
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

/** The name of an object in messages about undefined attributes. */
export const objectTypeName = (value: Value): string => {
  if (value === null) return 'None';
  if (value instanceof PyObject && value.module !== 'builtins') {
    return `${value.module}.${value.typeName} object`;
  }
  const name = typeName(value);
  return `${name === 'Markup' ? 'markupsafe.Markup' : name} object`;
};

// Maps keys to JS Map keys that are equal if and only if the keys are equal in Python: 1 == 1.0 ==
// True, but not '1'.
const hashKey = (value: Value): unknown => {
  if (typeof value === 'string') return value.startsWith('\0') ? `\0s${value}` : value;
  if (value instanceof Str) return hashKey(value.text);
  if (typeof value === 'boolean') return Number(value);
  if (value === null) return null;
  if (value instanceof PythonFloat) return value.value + 0;
  if (typeof value === 'number') {
    // A large float equals the int with the same value.
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
  const isView = value instanceof DictView && value.kind !== 'values';
  if (value instanceof List || value instanceof Dict || isView) {
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

/**
 * The key by which a set of values tells them apart. @throws PythonError if the value cannot be
 * hashed
 */
export const hashed = hashKey;
