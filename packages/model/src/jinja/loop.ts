// The `loop` of a for loop: a port of jinja2.runtime.LoopContext.
import { typeError } from './errors.ts';
import { equals, iterate, lengthOf } from './operators.ts';
import { undefinedBecause } from './runtime.ts';
import { type Kwargs, NativeFunction, PyCallable, Tuple, type Value } from './values.ts';

export type Recurse = (values: Value, depth: number) => Value;

export class LoopContext extends PyCallable {
  override get typeName(): string {
    return 'LoopContext';
  }
  override get module(): string {
    return 'jinja2.runtime';
  }
  #index0 = -1;
  #length: number | undefined;
  readonly #values: Value;
  #iterator: Iterator<Value>;
  readonly #recurse: Recurse | null;
  readonly #depth0: number;
  /** A value that was peeked at. */
  #after: IteratorResult<Value> | undefined;
  #current: Value | undefined;
  #before: Value | undefined;
  #lastChanged: Tuple | undefined;

  constructor(values: Value, recurse: Recurse | null = null, depth0 = 0) {
    super();
    this.#values = values;
    this.#iterator = iterate(values)[Symbol.iterator]();
    this.#recurse = recurse;
    this.#depth0 = depth0;
  }

  /** The next value, or undefined at the end. */
  next(): Value | undefined {
    const next = this.#after ?? this.#iterator.next();
    this.#after = undefined;
    if (next.done) return undefined;
    this.#index0++;
    this.#before = this.#current;
    this.#current = next.value;
    return next.value;
  }

  length(): number {
    this.#length ??= lengthOf(this.#values);
    if (this.#length === undefined) {
      const rest = [...{ [Symbol.iterator]: () => this.#iterator }];
      this.#iterator = rest[Symbol.iterator]();
      const peeked = this.#after !== undefined && !this.#after.done ? 1 : 0;
      this.#length = rest.length + this.#index0 + 1 + peeked;
    }
    return this.#length;
  }

  #peek(): Value | undefined {
    if (this.#after === undefined || this.#after.done) this.#after = this.#iterator.next();
    return this.#after.done ? undefined : this.#after.value;
  }

  override attribute(name: string): Value | undefined {
    switch (name) {
      case 'index':
        return this.#index0 + 1;
      case 'index0':
        return this.#index0;
      case 'revindex':
        return this.length() - this.#index0;
      case 'revindex0':
        return this.length() - this.#index0 - 1;
      case 'length':
        return this.length();
      case 'first':
        return this.#index0 === 0;
      case 'last':
        return this.#peek() === undefined;
      case 'depth':
        return this.#depth0 + 1;
      case 'depth0':
        return this.#depth0;
      case 'previtem':
        return this.#index0 === 0 ? undefinedBecause('there is no previous item') : this.#before;
      case 'nextitem': {
        const next = this.#peek();
        return next === undefined ? undefinedBecause('there is no next item') : next;
      }
      case 'cycle':
        return new NativeFunction('cycle', (args) => this.#cycle(args));
      case 'changed':
        return new NativeFunction('changed', (args) => this.#changed(args));
      default:
        return undefined;
    }
  }

  #cycle(args: readonly Value[]): Value {
    if (args.length === 0) throw typeError('no items for cycling given');
    return args[this.#index0 % args.length]!;
  }

  #changed(args: readonly Value[]): boolean {
    const value = new Tuple(args);
    if (this.#lastChanged !== undefined && equals(this.#lastChanged, value)) return false;
    this.#lastChanged = value;
    return true;
  }

  call(args: readonly Value[], kwargs: Kwargs): Value {
    if (this.#recurse === null) {
      throw typeError("The loop must have the 'recursive' marker to be called recursively.");
    }
    const values = args[0] ?? kwargs.get('iterable');
    if (values === undefined || args.length + kwargs.size !== 1) {
      throw typeError('loop() takes exactly one argument');
    }
    return this.#recurse(values, this.#depth0 + 1);
  }

  repr(): string {
    return `<LoopContext ${this.#index0 + 1}/${this.length()}>`;
  }
}
