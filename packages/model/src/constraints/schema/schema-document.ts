// A JSON schema with the places of its parts, and its references.
import { ConstraintError } from '../language/constraint-error.ts';
import { checkSchema, type Schema, type SchemaObject } from './keywords.ts';

/** Most alternatives of a place, after `anyOf`s are multiplied out. */
const MOST_ALTERNATIVES = 256;

/** A schema and its place in the document. */
export interface Located {
  readonly schema: Schema;
  readonly path: string;
}

/** Schemas without `$ref`, `allOf`, `anyOf` and `oneOf` of which a value must match all. */
export type Conjunction = readonly { readonly schema: SchemaObject; readonly path: string }[];

export class SchemaDocument {
  readonly #root: unknown;
  readonly #checked = new Map<string, Schema>();

  constructor(root: unknown) {
    this.#root = root;
  }

  get root(): Located {
    return this.at(this.#root, '#');
  }

  /** @throws ConstraintError if the schema has a keyword that is not enforced */
  at(value: unknown, path: string): Located {
    let schema = this.#checked.get(path);
    if (schema === undefined) {
      schema = checkSchema(value, path);
      this.#checked.set(path, schema);
    }
    return { schema, path };
  }

  /** The schema of a keyword, or of one of its entries. */
  below({ path }: Located, value: unknown, ...names: (string | number)[]): Located {
    const steps = names.map((name) => String(name).replaceAll('~', '~0').replaceAll('/', '~1'));
    return this.at(value, [path, ...steps].join('/'));
  }

  /** The schemas of a list-valued keyword. */
  list(one: Located, keyword: 'allOf' | 'anyOf' | 'oneOf' | 'prefixItems'): Located[] {
    const values = (one.schema as SchemaObject)[keyword] ?? [];
    return values.map((value, index) => this.below(one, value, keyword, index));
  }

  /** The schema that a reference names. */
  target({ path }: Located, reference: string): Located {
    const fail = (why: string): never => {
      throw new ConstraintError(`the JSON schema at ${path} has $ref ${reference}, ${why}`);
    };
    if (reference !== '#' && !reference.startsWith('#/')) {
      fail('but only references within the schema (#/…) are followed');
    }
    let value = this.#root;
    for (const step of decodeURIComponent(reference).split('/').slice(1)) {
      const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
        fail('but there is no such place');
      }
      value = (value as Record<string, unknown>)[name];
    }
    return this.at(value, reference);
  }

  /**
   * The alternatives that schemas have together: a value matches all of them if it matches all
   * schemas of one alternative.
   * @param disjoint whether no value matches both
   */
  alternatives(
    all: readonly Located[],
    disjoint: (a: Located, b: Located) => boolean,
    followed: readonly string[] = [],
  ): Conjunction[] {
    return all.reduce<Conjunction[]>(
      (found, one) => product(found, this.#alternativesOf(one, disjoint, followed), one.path),
      [[]],
    );
  }

  #alternativesOf(
    one: Located,
    disjoint: (a: Located, b: Located) => boolean,
    followed: readonly string[],
  ): Conjunction[] {
    const { schema, path } = one;
    if (schema === true) return [[]];
    if (schema === false) return [];
    const { $ref, allOf, anyOf, oneOf, ...own } = schema;
    let found: Conjunction[] = [Object.keys(own).length > 0 ? [{ schema: own, path }] : []];
    if ($ref !== undefined) {
      if (followed.includes($ref)) {
        throw new ConstraintError(`the JSON schema at ${path} refers to itself: ${$ref}`);
      }
      const target = this.target(one, $ref);
      found = product(found, this.alternatives([target], disjoint, [...followed, $ref]), path);
    }
    if (allOf !== undefined) {
      found = product(found, this.alternatives(this.list(one, 'allOf'), disjoint, followed), path);
    }
    if (oneOf !== undefined) this.#demandDisjoint(one, disjoint);
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      if (schema[keyword] === undefined) continue;
      const options = this.list(one, keyword).flatMap((option) =>
        this.alternatives([option], disjoint, followed),
      );
      found = product(found, options, path);
    }
    return found;
  }

  #demandDisjoint(one: Located, disjoint: (a: Located, b: Located) => boolean): void {
    const options = this.list(one, 'oneOf');
    for (const [i, a] of options.entries()) {
      for (const [j, b] of options.entries()) {
        if (j <= i || disjoint(a, b)) continue;
        throw new ConstraintError(
          `the JSON schema at ${one.path} has oneOf, whose alternatives ${i} and ${j} may both ` +
            'match a value; exactly one cannot be enforced then. Use anyOf, or tell them apart ' +
            'with different types or a required property with a const',
        );
      }
    }
  }
}

function product(
  a: readonly Conjunction[],
  b: readonly Conjunction[],
  path: string,
): Conjunction[] {
  if (a.length * b.length > MOST_ALTERNATIVES) {
    throw new ConstraintError(
      `the JSON schema at ${path} combines more than ${MOST_ALTERNATIVES} alternatives of anyOf and oneOf`,
    );
  }
  return a.flatMap((left) => b.map((right) => [...left, ...right]));
}
