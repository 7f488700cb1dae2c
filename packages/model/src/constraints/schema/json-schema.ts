// A JSON schema as an expression over the texts of its valid values. What it writes is always
// valid, but not every valid value is written: properties come in the order of the schema, numbers
// have at most 18 digits, and objects have no properties that the schema does not mention unless it
// says `additionalProperties`.
import { ConstraintError } from '../language/constraint-error.ts';
import {
  choice,
  type Expression,
  isNever,
  literal,
  never,
  type Rule,
  repeat,
  sequence,
} from '../language/expression.ts';
import { accepts, itemSchema, typeOf } from './accepts.ts';
import { areDisjoint, possibleValues } from './disjoint.ts';
import {
  anyArray,
  anyInteger,
  anyNumber,
  anyObject,
  anyValue,
  bracketed,
  comma,
  listOf,
  space,
  valueText,
} from './json-text.ts';
import { numberRange } from './number-range.ts';
import { objectExpression, type SchemaCompiler } from './object-expression.ts';
import { type Conjunction, type Located, SchemaDocument } from './schema-document.ts';
import { stringExpression } from './string-content.ts';
import { typesToWrite, type ValueType } from './types-of.ts';

/** Depth of schemas within schemas. */
const DEEPEST = 200;

/** @throws ConstraintError naming the place of a keyword that is not enforced or not valid */
export function jsonSchemaExpression(schema: unknown): Expression {
  const document = new SchemaDocument(schema);
  const found = new Compiler(document).compile([document.root]);
  if (isNever(found)) {
    throw new ConstraintError('no value matches the JSON schema: its keywords exclude each other');
  }
  return found;
}

class Compiler implements SchemaCompiler {
  readonly document: SchemaDocument;
  readonly #known = new Map<string, { rule: Rule; finished: boolean }>();
  #depth = 0;

  constructor(document: SchemaDocument) {
    this.document = document;
  }

  readonly alternatives = (schemas: readonly Located[]): Conjunction[] =>
    this.document.alternatives(schemas, (a, b) => areDisjoint(this.document, [a], [b]));

  /** One rule for the same schemas, so that schemas may contain themselves. */
  readonly compile = (schemas: readonly Located[]): Expression => {
    const asserting = schemas.filter(({ schema }) => schema !== true);
    if (asserting.length === 0) return anyValue;
    const key = [...new Set(asserting.map(({ path }) => path))].sort().join('\n');
    const known = this.#known.get(key);
    if (known !== undefined) {
      const { rule, finished } = known;
      return finished && isNever(rule.body) ? never : { type: 'rule', rule };
    }
    if (this.#depth >= DEEPEST) {
      throw new ConstraintError(`the JSON schema is nested too deeply at ${asserting[0]!.path}`);
    }
    const entry = { rule: { name: asserting[0]!.path, body: never }, finished: false };
    this.#known.set(key, entry);
    this.#depth += 1;
    entry.rule.body = choice(...this.alternatives(asserting).map((one) => this.#written(one)));
    this.#depth -= 1;
    entry.finished = true;
    return isNever(entry.rule.body) ? never : { type: 'rule', rule: entry.rule };
  };

  #written(schemas: Conjunction): Expression {
    const values = possibleValues(schemas);
    if (values !== null) {
      const valid = values.filter((value) =>
        schemas.every((one) => accepts(this.document, one, value)),
      );
      for (const value of valid) demandWellFormed(value, schemas[0]!.path);
      return choice(...valid.map(valueText));
    }
    return choice(...[...typesToWrite(schemas)].map((type) => this.#ofType(schemas, type)));
  }

  #ofType(schemas: Conjunction, type: ValueType): Expression {
    switch (type) {
      case 'null':
        return literal('null');
      case 'boolean':
        return choice(literal('true'), literal('false'));
      case 'string':
        return stringExpression(schemas);
      case 'number':
      case 'integer':
        return numberExpression(schemas, type === 'integer');
      case 'array':
        return schemas.every(({ schema }) => saysNothing(schema, 'array'))
          ? anyArray
          : this.#list(schemas);
      case 'object':
        return schemas.every(({ schema }) => saysNothing(schema, 'object'))
          ? anyObject
          : objectExpression(this, schemas);
    }
  }

  #list(schemas: Conjunction): Expression {
    const { document } = this;
    const first = Math.max(
      ...schemas.map(({ schema: { prefixItems, items } }) =>
        prefixItems !== undefined ? prefixItems.length : Array.isArray(items) ? items.length : 0,
      ),
    );
    const least = Math.max(0, ...schemas.map(({ schema }) => schema.minItems ?? 0));
    const limit = Math.min(
      ...schemas.map(({ schema }) => schema.maxItems ?? Number.POSITIVE_INFINITY),
    );
    const itemAt = (index: number): Located[] =>
      schemas.map((one) => itemSchema(document, one, index)).filter((one) => one !== null);
    // After listed items, others follow only if a schema describes them.
    const rest = itemAt(first);
    const item = first > 0 && rest.length === 0 && least <= first ? never : this.compile(rest);
    const parts: Expression[] = [];
    for (let index = 0; index < Math.min(first, limit); index++) {
      parts.push(this.compile(itemAt(index)));
    }
    return bracketed('[', itemsExpression(parts, item, least, limit), ']');
  }
}

/** Some first items and any number of others, and the space after them. */
function itemsExpression(
  first: readonly Expression[],
  rest: Expression,
  least: number,
  most: number,
): Expression {
  if (least > most || (isNever(rest) && least > first.length)) return never;
  if (first.length === 0) return isNever(rest) ? sequence() : listOf(rest, least, most);
  const others = repeat(
    sequence(comma, rest),
    Math.max(0, least - first.length),
    isNever(rest) ? 0 : most - first.length,
  );
  // From the last item to the first: each may be the end if there are enough.
  let after = others;
  for (let index = first.length - 1; index >= 0; index--) {
    const part = sequence(...(index > 0 ? [comma] : []), first[index]!, after);
    after = index >= least ? choice(sequence(), part) : part;
  }
  return sequence(after, space);
}

const saysNothing = (schema: Conjunction[number]['schema'], type: 'array' | 'object'): boolean =>
  (type === 'array'
    ? (['items', 'prefixItems', 'minItems', 'maxItems'] as const)
    : ([
        ...(['properties', 'patternProperties', 'additionalProperties', 'propertyNames'] as const),
        ...(['required', 'minProperties', 'maxProperties'] as const),
      ] as const)
  ).every((keyword) => schema[keyword] === undefined);

function numberExpression(schemas: Conjunction, integer: boolean): Expression {
  const all = schemas.map(({ schema }) => schema);
  const least = Math.max(...all.map(({ minimum }) => minimum ?? Number.NEGATIVE_INFINITY));
  const most = Math.min(...all.map(({ maximum }) => maximum ?? Number.POSITIVE_INFINITY));
  const above = Math.max(
    ...all.map(({ exclusiveMinimum }) => exclusiveMinimum ?? Number.NEGATIVE_INFINITY),
  );
  const below = Math.min(
    ...all.map(({ exclusiveMaximum }) => exclusiveMaximum ?? Number.POSITIVE_INFINITY),
  );
  const multiples = all.flatMap(({ multipleOf }) => (multipleOf === undefined ? [] : [multipleOf]));
  const range = {
    low: Math.max(least, above),
    high: Math.min(most, below),
    lowExcluded: above >= least,
    highExcluded: below <= most,
    integer,
    multipleOf: multiples.length === 0 ? null : multiples.reduce(commonMultiple),
  };
  if (range.low === Number.NEGATIVE_INFINITY && range.high === Number.POSITIVE_INFINITY) {
    if (range.multipleOf === null) return integer ? anyInteger : anyNumber;
  }
  return range.low > range.high ? never : numberRange(range);
}

function commonMultiple(a: number, b: number): number {
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y));
  return (a / divisor(a, b)) * b;
}

/** Half of a surrogate pair cannot be written in UTF-8. */
function demandWellFormed(value: unknown, path: string): void {
  if (JSON.stringify(value).match(/\\ud[89a-f]/i) === null) return;
  throw new ConstraintError(
    `the JSON schema at ${path} has a ${typeOf(value)} with half of a surrogate pair`,
  );
}
