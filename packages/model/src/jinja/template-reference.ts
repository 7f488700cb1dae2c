import type { Blocks } from './compilation.ts';
import { type Context, capture, nested, type Rendering, Scope } from './runtime.ts';
import { NativeFunction, PyObject, type Value } from './values.ts';

/** The `self` of a template: its blocks by name. */
export class TemplateReference extends PyObject {
  override get typeName(): string {
    return 'TemplateReference';
  }
  override get module(): string {
    return 'jinja2.runtime';
  }
  readonly #blocks: Blocks;
  readonly #context: Context;
  readonly #rendering: Rendering;

  constructor(blocks: Blocks, context: Context, rendering: Rendering) {
    super();
    this.#blocks = blocks;
    this.#context = context;
    this.#rendering = rendering;
  }

  item(name: Value): Value | undefined {
    const execute = typeof name === 'string' ? this.#blocks.get(name) : undefined;
    if (execute === undefined) return undefined;
    return new NativeFunction(name as string, () =>
      nested(
        this.#rendering,
        () => capture(new Scope(0, null, this.#context, this.#rendering), execute).text,
      ),
    );
  }

  repr(): string {
    return '<TemplateReference None>';
  }
}
