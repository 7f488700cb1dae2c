import type { Value } from './values.ts';

// `at` is an offset into the normalised source, in UTF-16 units.

interface Node {
  readonly at: number;
}

export interface Const extends Node {
  readonly kind: 'const';
  readonly value: Value;
}
export interface Name extends Node {
  readonly kind: 'name';
  readonly name: string;
  readonly use: 'load' | 'store' | 'parameter';
}
/** `namespace.attribute` as the target of a set. */
export interface NamespaceRef extends Node {
  readonly kind: 'namespace-ref';
  readonly name: string;
  readonly attribute: string;
}
export interface TupleNode extends Node {
  readonly kind: 'tuple';
  readonly items: readonly Expression[];
}
export interface ListNode extends Node {
  readonly kind: 'list';
  readonly items: readonly Expression[];
}
export interface DictNode extends Node {
  readonly kind: 'dict';
  readonly entries: readonly { key: Expression; value: Expression }[];
}
export interface Conditional extends Node {
  readonly kind: 'conditional';
  readonly test: Expression;
  readonly then: Expression;
  readonly otherwise: Expression | null;
}
export interface Binary extends Node {
  readonly kind: 'binary';
  readonly operator: '+' | '-' | '*' | '/' | '//' | '%' | '**';
  readonly left: Expression;
  readonly right: Expression;
}
export interface Logical extends Node {
  readonly kind: 'logical';
  readonly operator: 'and' | 'or';
  readonly left: Expression;
  readonly right: Expression;
}
export interface Unary extends Node {
  readonly kind: 'unary';
  readonly operator: 'not' | '-' | '+';
  readonly value: Expression;
}
export interface Concat extends Node {
  readonly kind: 'concat';
  readonly items: readonly Expression[];
}
export type Comparator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';
export interface Compare extends Node {
  readonly kind: 'compare';
  readonly first: Expression;
  readonly rest: readonly { operator: Comparator; value: Expression }[];
}
export interface Attribute extends Node {
  readonly kind: 'attribute';
  readonly value: Expression;
  readonly name: string;
}
export interface Item extends Node {
  readonly kind: 'item';
  readonly value: Expression;
  readonly key: Expression | Slice;
}
export interface Slice extends Node {
  readonly kind: 'slice';
  readonly start: Expression | null;
  readonly stop: Expression | null;
  readonly step: Expression | null;
}
export interface Arguments {
  readonly args: readonly Expression[];
  readonly kwargs: readonly { name: string; value: Expression }[];
  /** `*args` and `**kwargs`. */
  readonly moreArgs: Expression | null;
  readonly moreKwargs: Expression | null;
}
export interface Call extends Node, Arguments {
  readonly kind: 'call';
  readonly callee: Expression;
}
/** `value` is null if the filter applies to a block. */
export interface Filter extends Node, Arguments {
  readonly kind: 'filter';
  readonly name: string;
  readonly value: Expression | null;
}
export interface Test extends Node, Arguments {
  readonly kind: 'test';
  readonly name: string;
  readonly value: Expression;
}

export type Expression =
  | Const
  | Name
  | NamespaceRef
  | TupleNode
  | ListNode
  | DictNode
  | Conditional
  | Binary
  | Logical
  | Unary
  | Concat
  | Compare
  | Attribute
  | Item
  | Slice
  | Call
  | Filter
  | Test;

/** Literal template text. */
export interface Data extends Node {
  readonly kind: 'data';
  readonly text: string;
}

export interface Output extends Node {
  readonly kind: 'output';
  readonly items: readonly (Data | Expression)[];
}
export interface For extends Node {
  readonly kind: 'for';
  readonly target: Expression;
  readonly values: Expression;
  readonly test: Expression | null;
  readonly recursive: boolean;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[];
}
export interface If extends Node {
  readonly kind: 'if';
  readonly branches: readonly { test: Expression; body: readonly Statement[] }[];
  readonly otherwise: readonly Statement[];
}
export interface Signature {
  readonly parameters: readonly Name[];
  /** Defaults of the last parameters. */
  readonly defaults: readonly Expression[];
}
export interface MacroNode extends Node, Signature {
  readonly kind: 'macro';
  readonly name: string;
  readonly body: readonly Statement[];
}
export interface CallBlock extends Node, Signature {
  readonly kind: 'call-block';
  readonly call: Call;
  readonly body: readonly Statement[];
}
export interface GenerationBlock extends Node, Signature {
  readonly kind: 'generation';
  readonly body: readonly Statement[];
}
export interface FilterBlock extends Node {
  readonly kind: 'filter-block';
  readonly filter: Filter;
  readonly body: readonly Statement[];
}
export interface With extends Node {
  readonly kind: 'with';
  readonly targets: readonly Expression[];
  readonly values: readonly Expression[];
  readonly body: readonly Statement[];
}
export interface SetNode extends Node {
  readonly kind: 'set';
  readonly target: Expression;
  readonly value: Expression;
}
export interface SetBlock extends Node {
  readonly kind: 'set-block';
  readonly target: Expression;
  readonly filter: Filter | null;
  readonly body: readonly Statement[];
}
export interface Block extends Node {
  readonly kind: 'block';
  readonly name: string;
  readonly scoped: boolean;
  readonly required: boolean;
  readonly body: readonly Statement[];
}
export interface LoopControl extends Node {
  readonly kind: 'break' | 'continue';
}

export type Statement =
  | Output
  | For
  | If
  | MacroNode
  | CallBlock
  | GenerationBlock
  | FilterBlock
  | With
  | SetNode
  | SetBlock
  | Block
  | LoopControl;

export type AnyNode = Expression | Statement | Data;

/** A node's direct children, in the order of jinja2's fields. */
export const childrenOf = (node: AnyNode): readonly AnyNode[] => {
  const some = (...nodes: (AnyNode | null)[]): AnyNode[] => nodes.filter((child) => child !== null);
  switch (node.kind) {
    case 'tuple':
    case 'list':
    case 'concat':
    case 'output':
      return node.items;
    case 'dict':
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case 'conditional':
      return some(node.test, node.then, node.otherwise);
    case 'binary':
    case 'logical':
      return [node.left, node.right];
    case 'unary':
    case 'attribute':
      return [node.value];
    case 'compare':
      return [node.first, ...node.rest.map(({ value }) => value)];
    case 'item':
      return [node.value, node.key];
    case 'slice':
      return some(node.start, node.stop, node.step);
    case 'call':
      return [node.callee, ...argumentsOf(node)];
    case 'filter':
    case 'test':
      return [...some(node.value), ...argumentsOf(node)];
    case 'for':
      return [
        ...some(node.target, node.values),
        ...node.body,
        ...node.otherwise,
        ...some(node.test),
      ];
    case 'if':
      return [...node.branches.flatMap(({ test, body }) => [test, ...body]), ...node.otherwise];
    case 'macro':
    case 'generation':
      return [...node.parameters, ...node.defaults, ...node.body];
    case 'call-block':
      return [node.call, ...node.parameters, ...node.defaults, ...node.body];
    case 'filter-block':
      return [...node.body, node.filter];
    case 'with':
      return [...node.targets, ...node.values, ...node.body];
    case 'set':
      return [node.target, node.value];
    case 'set-block':
      return [node.target, ...some(node.filter), ...node.body];
    case 'block':
      return node.body;
    default:
      return [];
  }
};

const argumentsOf = ({ args, kwargs, moreArgs, moreKwargs }: Arguments): AnyNode[] => [
  ...args,
  ...kwargs.map(({ value }) => value),
  ...(moreArgs === null ? [] : [moreArgs]),
  ...(moreKwargs === null ? [] : [moreKwargs]),
];

/** Nodes and all their descendants, parents first. */
export const walk = (nodes: readonly AnyNode[]): AnyNode[] => {
  const found: AnyNode[] = [];
  const visit = (node: AnyNode): void => {
    found.push(node);
    for (const child of childrenOf(node)) visit(child);
  };
  for (const node of nodes) visit(node);
  return found;
};
