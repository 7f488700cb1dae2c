// Macros: a port of jinja2.runtime.Macro.
import { typeError } from './errors.ts';
import { undefinedBecause } from './runtime.ts';
import { Dict, type Kwargs, PyCallable, Tuple, type Value } from './values.ts';

export interface MacroShape {
  readonly name: string | null;
  readonly parameters: readonly string[];
  /** Whether the body reads `kwargs`, `varargs` and `caller`. */
  readonly catchesKwargs: boolean;
  readonly catchesVarargs: boolean;
  readonly usesCaller: boolean;
}

/**
 * Runs the body. A missing argument is undefined. Used ones of caller, kwargs and varargs follow
 * the parameters.
 */
export type Invoke = (args: readonly (Value | undefined)[]) => Value;

export class Macro extends PyCallable {
  override get typeName(): string {
    return 'Macro';
  }
  override get module(): string {
    return 'jinja2.runtime';
  }
  readonly #shape: MacroShape;
  readonly #invoke: Invoke;

  constructor(shape: MacroShape, invoke: Invoke) {
    super();
    this.#shape = shape;
    this.#invoke = invoke;
  }

  call(args: readonly Value[], kwargs: Kwargs): Value {
    const { name, parameters, catchesKwargs, catchesVarargs, usesCaller } = this.#shape;
    const named = new Map(kwargs);
    const values: (Value | undefined)[] = args.slice(0, parameters.length);
    let foundCaller = parameters.includes('caller');
    if (values.length < parameters.length) {
      foundCaller = false;
      for (const parameter of parameters.slice(values.length)) {
        if (parameter === 'caller') foundCaller = true;
        values.push(named.get(parameter));
        named.delete(parameter);
      }
    }
    if (usesCaller && !foundCaller) {
      const caller = named.get('caller');
      named.delete('caller');
      values.push(
        caller === undefined || caller === null ? undefinedBecause('No caller defined') : caller,
      );
    }
    const shown = name === null ? 'None' : `'${name}'`;
    if (catchesKwargs) values.push(new Dict(named));
    else if (named.has('caller')) {
      throw typeError(
        `macro ${shown} was invoked with two values for the special caller argument. This is most likely a bug.`,
      );
    } else if (named.size > 0) {
      throw typeError(`macro ${shown} takes no keyword argument '${[...named.keys()][0]}'`);
    }
    if (catchesVarargs) values.push(new Tuple(args.slice(parameters.length)));
    else if (args.length > parameters.length) {
      throw typeError(`macro ${shown} takes not more than ${parameters.length} argument(s)`);
    }
    return this.#invoke(values);
  }

  override attribute(name: string): Value | undefined {
    const shape = this.#shape;
    switch (name) {
      case 'name':
        return shape.name;
      case 'arguments':
        return new Tuple(shape.parameters);
      case 'catch_kwargs':
        return shape.catchesKwargs;
      case 'catch_varargs':
        return shape.catchesVarargs;
      case 'caller':
        return shape.usesCaller;
      case 'explicit_caller':
        return shape.parameters.includes('caller');
      default:
        return undefined;
    }
  }

  repr(): string {
    return `<Macro ${this.#shape.name === null ? 'anonymous' : `'${this.#shape.name}'`}>`;
  }
}
