// Global functions of templates.
import { positional, textArgument } from './arguments.ts';
import { PythonError, typeError, unsupported, valueError } from './errors.ts';
import { fromKeys } from './methods.ts';
import { asIndex } from './numbers.ts';
import { iterate } from './operators.ts';
import { str } from './repr.ts';
import { type LocalTime, strftime } from './strftime.ts';
import { textOf } from './text.ts';
import {
  Dict,
  type Kwargs,
  Namespace,
  NativeFunction,
  PyCallable,
  PyObject,
  Range,
  Tuple,
  type Value,
} from './values.ts';

/** The sandbox's limit. */
const longestRange = 100_000;

const range = (args: readonly Value[], kwargs: Kwargs): Value => {
  positional('range', args, kwargs, 1, 3);
  const [first, second, step = 1] = args.map((arg) => asIndex(arg));
  if (args.some((arg) => !Number.isSafeInteger(Number(arg)))) {
    throw unsupported('range() of ints beyond 2^53 is not supported');
  }
  const [start, stop] = second === undefined ? [0, first!] : [first!, second];
  if (step === 0) throw valueError('range() arg 3 must not be zero');
  const made = new Range(start, stop, step);
  if (made.length > longestRange) {
    throw new PythonError(
      'OverflowError',
      `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${longestRange}).`,
    );
  }
  return made;
};

const makeDict = (args: readonly Value[], kwargs: Kwargs): Dict => {
  if (args.length > 1) throw typeError(`dict expected at most 1 argument, got ${args.length}`);
  const [source] = args;
  const made = new Dict(
    source instanceof Dict ? source.entries() : source === undefined ? [] : pairs(source),
  );
  for (const [name, value] of kwargs) made.set(name, value);
  return made;
};

function* pairs(source: Value): Generator<readonly [Value, Value]> {
  let index = 0;
  for (const item of iterate(source)) {
    const parts = [...iterate(item)];
    if (parts.length !== 2) {
      throw valueError(
        `dictionary update sequence element #${index} has length ${parts.length}; 2 is required`,
      );
    }
    yield [parts[0]!, parts[1]!];
    index++;
  }
}

/** A Python class that templates can call. */
class PyClass extends NativeFunction {
  override get typeName(): string {
    return 'type';
  }
  readonly #shown: string;
  readonly #attributes: Readonly<Record<string, Value>>;

  constructor(
    shown: string,
    body: (args: readonly Value[], kwargs: Kwargs) => Value,
    attributes: Readonly<Record<string, Value>> = {},
  ) {
    super(shown, body);
    this.#shown = shown;
    this.#attributes = attributes;
  }

  override attribute(name: string): Value | undefined {
    return Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined;
  }

  repr(): string {
    return `<class '${this.#shown}'>`;
  }
}

class Cycler extends PyObject {
  override get typeName(): string {
    return 'Cycler';
  }
  override get module(): string {
    return 'jinja2.utils';
  }
  readonly #items: readonly Value[];
  #position = 0;

  constructor(items: readonly Value[]) {
    super();
    this.#items = items;
  }

  override attribute(name: string): Value | undefined {
    if (name === 'items') return new Tuple(this.#items);
    if (name === 'pos') return this.#position;
    if (name === 'current') return this.#items[this.#position];
    if (name === 'next') return new NativeFunction('next', () => this.#next());
    if (name !== 'reset') return undefined;
    return new NativeFunction('reset', () => {
      this.#position = 0;
      return null;
    });
  }

  #next(): Value {
    const item = this.#items[this.#position]!;
    this.#position = (this.#position + 1) % this.#items.length;
    return item;
  }
}

class Joiner extends PyCallable {
  override get typeName(): string {
    return 'Joiner';
  }
  override get module(): string {
    return 'jinja2.utils';
  }
  readonly #separator: Value;
  #used = false;

  constructor(separator: Value) {
    super();
    this.#separator = separator;
  }

  override attribute(name: string): Value | undefined {
    if (name === 'sep') return this.#separator;
    return name === 'used' ? this.#used : undefined;
  }

  call(): Value {
    if (this.#used) return this.#separator;
    this.#used = true;
    return '';
  }
}

const constant: readonly (readonly [string, Value])[] = [
  ['range', new NativeFunction('range', range)],
  ['dict', new PyClass('dict', makeDict, { fromkeys: new NativeFunction('fromkeys', fromKeys) })],
  [
    'namespace',
    new PyClass('jinja2.utils.Namespace', (args, kwargs) => new Namespace(makeDict(args, kwargs))),
  ],
  [
    'cycler',
    new PyClass('jinja2.utils.Cycler', (args, kwargs) => {
      if (kwargs.size > 0) throw typeError('cycler() takes no keyword arguments');
      if (args.length === 0) {
        throw new PythonError('RuntimeError', 'at least one item has to be provided');
      }
      return new Cycler(args);
    }),
  ],
  [
    'joiner',
    new PyClass('jinja2.utils.Joiner', (args, kwargs) => {
      const separator = args[0] ?? kwargs.get('sep') ?? ', ';
      if (args.length + kwargs.size > 1) throw typeError('joiner() takes one separator');
      return new Joiner(separator);
    }),
  ],
  [
    'raise_exception',
    new NativeFunction('raise_exception', (args, kwargs) => {
      const message = args[0] ?? kwargs.get('message') ?? null;
      throw new PythonError('TemplateError', textOf(str(message)));
    }),
  ],
];

/** Names of all global functions. `lipsum` is not supported because its text is random. */
export const globalNames: readonly string[] = [...constant.map(([name]) => name), 'strftime_now'];

/** @param time the time that strftime_now formats */
export const globalsAt = (time: LocalTime): [string, Value][] => [
  ...constant.map(([name, value]) => [name, value] as [string, Value]),
  [
    'strftime_now',
    new NativeFunction('strftime_now', (args, kwargs) => {
      const format = args[0] ?? kwargs.get('format');
      if (format === undefined || args.length + kwargs.size !== 1) {
        throw typeError('strftime_now() takes exactly one argument');
      }
      return strftime(time, textOf(textArgument('strftime', format)));
    }),
  ],
];
