// Objects: properties in the order of the schema, then others.
import {
  type Automaton,
  automaton,
  automatonExpression,
  both,
  isNothing,
  otherTexts,
} from '../language/automaton.ts';
import { everyCharacter } from '../language/characters.ts';
import { ConstraintError } from '../language/constraint-error.ts';
import {
  choice,
  type Expression,
  isNever,
  literal,
  never,
  oneOf,
  repeat,
  sequence,
} from '../language/expression.ts';
import { regexExpression } from '../language/regex.ts';
import { accepts, propertySchemas } from './accepts.ts';
import { bracketed, colon, comma, space, stringOf } from './json-text.ts';
import type { Conjunction, Located, SchemaDocument } from './schema-document.ts';
import { stringAutomaton } from './string-content.ts';

/** Most patterns of names, since every combination of them is a kind of name. */
const MOST_PATTERNS = 5;

export interface SchemaCompiler {
  readonly document: SchemaDocument;
  /** Values that match all schemas. */
  compile(schemas: readonly Located[]): Expression;
  /** The alternatives of schemas. */
  alternatives(schemas: readonly Located[]): Conjunction[];
}

interface Property {
  pair: Expression;
  required: boolean;
}

export function objectExpression(compiler: SchemaCompiler, schemas: Conjunction): Expression {
  const { document } = compiler;
  const required = new Set(schemas.flatMap(({ schema }) => schema.required ?? []));
  const listed = schemas.flatMap(({ schema }) => Object.keys(schema.properties ?? {}));
  const properties: Property[] = [];
  for (const name of new Set([...listed, ...required])) {
    const own = schemas.flatMap((one) => propertySchemas(document, one, name));
    const allowed = nameAllowed(compiler, schemas, name);
    const value = allowed ? compiler.compile(own) : never;
    if (!isNever(value)) {
      const pair = sequence(literal(JSON.stringify(name)), colon, value);
      properties.push({ pair, required: required.has(name) });
    } else if (required.has(name)) return never;
  }
  const names = new Set([...listed, ...required]);
  const others = otherPairs(compiler, schemas, names);
  return withProperties(schemas, properties, others);
}

function nameAllowed({ document }: SchemaCompiler, schemas: Conjunction, name: string): boolean {
  return schemas.every(
    (one) =>
      one.schema.propertyNames === undefined ||
      accepts(document, document.below(one, one.schema.propertyNames, 'propertyNames'), name),
  );
}

/** The pairs in order, with their commas, as many as the schemas allow. */
function withProperties(
  schemas: Conjunction,
  properties: readonly Property[],
  others: Expression,
): Expression {
  const least = Math.max(0, ...schemas.map(({ schema }) => schema.minProperties ?? 0));
  const most = Math.min(
    ...schemas.map(({ schema }) => schema.maxProperties ?? Number.POSITIVE_INFINITY),
  );
  // Names that are not listed may be repeated, so only one of them counts for the minimum.
  if (least > properties.length + 1 && !isNever(others)) {
    throw new ConstraintError(
      `the JSON schema at ${schemas[0]!.path} has minProperties ${least}, which is only enforced ` +
        'up to the number of its properties and one more: other names might be repeated',
    );
  }
  const limited = most < Number.POSITIVE_INFINITY;
  // The first node is the start, the second the end.
  const edges: { label: Expression; to: number }[][] = [[], []];
  const end = 1;
  const accepting = new Set([end]);
  const ids = new Map<string, number>();
  /**
   * @param count pairs so far, as far as it matters
   * @param names different names so far, at most the minimum
   */
  const node = (next: number, count: number, names: number, other: boolean): number => {
    const key = [next, count, names, other].join();
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = edges.push([]) - 1;
    ids.set(key, id);
    const own = edges[id]!;
    const room = !limited || count < most;
    const after = limited ? count + 1 : 1;
    const more = Math.min(least, names + 1);
    const written = (pair: Expression): Expression => (count === 0 ? pair : sequence(comma, pair));
    if (next < properties.length) {
      const { pair, required } = properties[next]!;
      if (room) own.push({ label: written(pair), to: node(next + 1, after, more, false) });
      if (!required) own.push({ label: sequence(), to: node(next + 1, count, names, false) });
      return id;
    }
    if (room && !isNever(others)) {
      own.push({ label: written(others), to: node(next, after, other ? names : more, true) });
    }
    if (names < least) return id;
    if (count === 0) accepting.add(id);
    else own.push({ label: space, to: end });
    return id;
  };
  edges[0]!.push({ label: sequence(), to: node(0, 0, 0, false) });
  return bracketed('{', { type: 'graph', graph: { edges, accepting } }, '}');
}

/** Pairs with other names: those that match patterns, and any where the schemas say so. */
function otherPairs(
  { document, compile, alternatives }: SchemaCompiler,
  schemas: Conjunction,
  names: ReadonlySet<string>,
): Expression {
  const said = schemas.filter(({ schema }) => schema.additionalProperties !== undefined);
  const lists = schemas.some(
    ({ schema }) =>
      schema.properties !== undefined ||
      schema.patternProperties !== undefined ||
      schema.required !== undefined,
  );
  const open = said.length > 0 || !lists;
  const patterns = [
    ...new Set(schemas.flatMap(({ schema }) => Object.keys(schema.patternProperties ?? {}))),
  ];
  if (!open && patterns.length === 0) return never;
  if (patterns.length > MOST_PATTERNS) {
    throw new ConstraintError(
      `the JSON schema at ${schemas[0]!.path} has ${patterns.length} patternProperties; at most ${MOST_PATTERNS} are enforced`,
    );
  }
  const matching = patterns.map((pattern) => automaton(regexExpression(pattern, 'part')));
  const pairs: Expression[] = [];
  for (let chosen = 0; chosen < 2 ** patterns.length; chosen++) {
    const holds = (at: number): boolean => ((chosen >> at) & 1) === 1;
    if (chosen === 0 && !open) continue;
    const own = schemas.flatMap((one) => {
      const { patternProperties = {}, additionalProperties } = one.schema;
      const found = Object.entries(patternProperties)
        .filter(([pattern]) => holds(patterns.indexOf(pattern)))
        .map(([pattern, value]) => document.below(one, value, 'patternProperties', pattern));
      if (found.length > 0 || additionalProperties === undefined) return found;
      return [document.below(one, additionalProperties, 'additionalProperties')];
    });
    const value = compile(own);
    if (isNever(value)) continue;
    const name = [
      freeNames(names),
      ...matching.map((one, at) => (holds(at) ? one : otherTexts(one))),
    ].reduce(both);
    for (const alternative of nameAlternatives(document, schemas, alternatives)) {
      const allowed = alternative === null ? name : both(name, alternative);
      if (isNothing(allowed)) continue;
      pairs.push(sequence(stringOf(automatonExpression(allowed)), colon, value));
    }
  }
  return choice(...pairs);
}

/** All names but these. */
function freeNames(names: ReadonlySet<string>): Automaton {
  const any = automaton(repeat(oneOf(everyCharacter), 0, Number.POSITIVE_INFINITY));
  if (names.size === 0) return any;
  return otherTexts(automaton(choice(...[...names].map(literal))));
}

/** What `propertyNames` allows; null: any name. */
function nameAlternatives(
  document: SchemaDocument,
  schemas: Conjunction,
  alternatives: SchemaCompiler['alternatives'],
): (Automaton | null)[] {
  const own = schemas
    .filter(({ schema }) => schema.propertyNames !== undefined)
    .map((one) => document.below(one, one.schema.propertyNames, 'propertyNames'));
  if (own.length === 0) return [null];
  return alternatives(own).map((found) => {
    const values = found.find(({ schema }) => schema.enum !== undefined || 'const' in schema);
    if (values === undefined) return stringAutomaton(found);
    const texts = ('const' in values.schema ? [values.schema.const] : values.schema.enum!).filter(
      (value): value is string =>
        typeof value === 'string' && found.every((one) => accepts(document, one, value)),
    );
    return automaton(choice(...texts.map(literal)));
  });
}
