// Resolves names to variables: a port of jinja2.idtracking, whose rules decide how a {% set %}
// inside a loop or branch affects the names outside.
import { type AnyNode, childrenOf, type For, type Statement } from './ast.ts';

/** The variables of one function: the template, a macro or a recursive loop. */
export class FunctionScope {
  readonly parent: FunctionScope | null;
  readonly depth: number;
  readonly #slots = new Map<string, Slot>();

  constructor(parent: FunctionScope | null) {
    this.parent = parent;
    this.depth = parent === null ? 0 : parent.depth + 1;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** The variable of a name at a level. As in jinja2, sibling frames share it. */
  slot(level: number, name: string): Slot {
    const identifier = `${level} ${name}`;
    let slot = this.#slots.get(identifier);
    if (slot === undefined) {
      slot = { scope: this, index: this.#slots.size };
      this.#slots.set(identifier, slot);
    }
    return slot;
  }
}

export interface Slot {
  readonly scope: FunctionScope;
  readonly index: number;
}

/** How a variable is initialised when its frame is entered. */
export type Load =
  | { readonly how: 'parameter' }
  | { readonly how: 'resolve'; readonly name: string }
  | { readonly how: 'alias'; readonly of: Slot }
  | { readonly how: 'missing' };

export class Symbols {
  readonly parent: Symbols | null;
  readonly level: number;
  readonly scope: FunctionScope;
  readonly refs = new Map<string, Slot>();
  readonly loads = new Map<Slot, Load>();
  readonly stores = new Set<string>();

  constructor(scope: FunctionScope, parent: Symbols | null = null) {
    this.scope = scope;
    this.parent = parent;
    this.level = parent === null ? 0 : parent.level + 1;
  }

  findRef(name: string): Slot | undefined {
    return this.refs.get(name) ?? this.parent?.findRef(name);
  }

  #define(name: string, load: Load): Slot {
    const slot = this.scope.slot(this.level, name);
    this.refs.set(name, slot);
    this.loads.set(slot, load);
    return slot;
  }

  store(name: string): void {
    this.stores.add(name);
    if (this.refs.has(name)) return;
    const outer = this.parent?.findRef(name);
    this.#define(name, outer === undefined ? { how: 'missing' } : { how: 'alias', of: outer });
  }

  declareParameter(name: string): Slot {
    this.stores.add(name);
    return this.#define(name, { how: 'parameter' });
  }

  load(name: string): void {
    if (this.findRef(name) === undefined) this.#define(name, { how: 'resolve', name });
  }

  /** Names stored in this frame or an enclosing one, with their variables. */
  storedNames(): Map<string, Slot> {
    const names = new Map<string, Slot>();
    for (let node: Symbols | null = this; node !== null; node = node.parent) {
      for (const name of node.stores) {
        if (!names.has(name)) names.set(name, this.findRef(name)!);
      }
    }
    return names;
  }

  #copy(): Symbols {
    const copy = new Symbols(this.scope, this.parent);
    for (const [name, slot] of this.refs) copy.refs.set(name, slot);
    for (const [slot, load] of this.loads) copy.loads.set(slot, load);
    for (const name of this.stores) copy.stores.add(name);
    return copy;
  }

  #update(branches: readonly Symbols[]): void {
    const stored = new Set(branches.flatMap(({ stores }) => [...stores]));
    for (const name of this.stores) stored.delete(name);
    for (const branch of branches) {
      for (const [name, slot] of branch.refs) this.refs.set(name, slot);
      for (const [slot, load] of branch.loads) this.loads.set(slot, load);
      for (const name of branch.stores) this.stores.add(name);
    }
    for (const name of stored) {
      const slot = this.findRef(name)!;
      const outer = this.parent?.findRef(name);
      const load: Load =
        outer === undefined ? { how: 'resolve', name } : { how: 'alias', of: outer };
      this.loads.set(slot, load);
    }
  }

  /** Collects the names in a frame, without those of nested frames. */
  analyse(nodes: readonly AnyNode[]): void {
    for (const node of nodes) this.#visit(node);
  }

  /** Declares the names of a loop's target as parameters. */
  analyseTarget(target: AnyNode): void {
    if (target.kind === 'name') this.declareParameter(target.name);
    else for (const child of childrenOf(target)) this.analyseTarget(child);
  }

  #visit(node: AnyNode): void {
    switch (node.kind) {
      case 'name':
        if (node.use === 'parameter') this.declareParameter(node.name);
        else if (node.use === 'store') this.store(node.name);
        else this.load(node.name);
        return;
      case 'namespace-ref':
        this.load(node.name);
        return;
      case 'if':
        this.#visitIf(node.branches, node.otherwise);
        return;
      case 'macro':
        this.store(node.name);
        return;
      case 'set':
        this.analyse([node.value, node.target]);
        return;
      case 'for':
        this.#visit(node.values);
        return;
      case 'call-block':
        this.#visit(node.call);
        return;
      case 'filter-block':
        this.#visit(node.filter);
        return;
      case 'with':
        this.analyse(node.values);
        return;
      case 'set-block':
        this.#visit(node.target);
        return;
      case 'block':
      case 'generation':
        return;
      default:
        this.analyse(childrenOf(node));
    }
  }

  // jinja2 visits all elifs as one branch, each of them as an if of its own.
  #visitIf(
    branches: readonly { test: AnyNode; body: readonly Statement[] }[],
    otherwise: readonly Statement[],
  ): void {
    const [first, ...elifs] = branches;
    this.#visit(first!.test);
    const inner = (visit: (symbols: Symbols) => void): Symbols => {
      const symbols = this.#copy();
      visit(symbols);
      return symbols;
    };
    this.#update([
      inner((symbols) => symbols.analyse(first!.body)),
      inner((symbols) => {
        for (const elif of elifs) symbols.#visitIf([elif], []);
      }),
      inner((symbols) => symbols.analyse(otherwise)),
    ]);
  }
}

/** The subset of `names` that these nodes read before they set them. */
export const undeclared = (nodes: readonly AnyNode[], names: readonly string[]): Set<string> => {
  const wanted = new Set(names);
  const found = new Set<string>();
  const visit = (node: AnyNode): void => {
    if (node.kind === 'block') return;
    if (node.kind === 'name') {
      if (node.use === 'load' && wanted.has(node.name)) found.add(node.name);
      else wanted.delete(node.name);
      return;
    }
    for (const child of childrenOf(node)) visit(child);
  };
  for (const node of nodes) visit(node);
  return found;
};

/** Whether a loop needs its `loop` variable. */
export const usesLoop = ({ body, recursive }: For): boolean =>
  recursive || undeclared(body, ['loop']).has('loop');
