// Random JSON schemas over every enforced keyword, nested and combined, for tests and benchmarks.
import { formats } from '../schema/formats.ts';

export type Random = () => number;

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Schema = Record<string, unknown> | boolean;

const patterns = [
  ...['^[A-Z][a-z]{1,8}$', '[0-9]{3}', '^(a|bc)+$', '^\\d{2}-\\d{2}$', '^[^"\\\\]{2,6}$', 'x$'],
  ...['^"[a-z]*"$', '^\\\\[nt]$', '[\\u00e0-\\u00ff]', '^\\p{Lu}', '^.{0,4}$', '^$|^none$', '\\s'],
];
const names = ['name', 'id', 'a"b', 'tags', 'größe', 'value', 'x-y', 'next', 'items'];
const constants = ['a', '', 'say "hi"\n', 0, -7, 1.5, 1e21, true, null, [1, 'b'], { k: [null] }];

/** A schema, of which most can be matched. */
export function randomSchema(random: Random): Schema {
  const whole = (least: number, most: number): number =>
    least + Math.floor(random() * (most - least + 1));
  const pick = <T>(all: readonly T[]): T => all[whole(0, all.length - 1)]!;
  const maybe = (share: number): boolean => random() < share;
  const some = <T>(all: readonly T[], least: number, most: number): T[] =>
    all
      .map((one) => [random(), one] as const)
      .sort(([a], [b]) => a - b)
      .slice(0, whole(least, most))
      .map(([, one]) => one);

  const text = (): Schema => {
    const kind = whole(0, 5);
    if (kind === 0) return { type: 'string' };
    if (kind === 1) return { type: 'string', pattern: pick(patterns) };
    if (kind === 2) return { type: 'string', format: pick(Object.keys(formats)) };
    if (kind === 3) return { type: 'string', pattern: pick(patterns), minLength: 1, maxLength: 12 };
    const minLength = whole(0, 3);
    return { type: 'string', minLength, maxLength: minLength + whole(0, kind === 4 ? 8 : 200) };
  };
  const number = (type: 'integer' | 'number'): Schema => {
    const low = pick([-1000.5, -3, -0.25, 0, 0.5, 1, 17, 99_999]);
    const high = low + pick([2, 3.75, 20, 1234.5, 1e6]);
    return {
      type,
      ...(maybe(0.5) && { [pick(['minimum', 'exclusiveMinimum'])]: low }),
      ...(maybe(0.5) && { [pick(['maximum', 'exclusiveMaximum'])]: high }),
      ...(maybe(0.2) && { multipleOf: pick([1, 2, 3, 5, 7, 10, 25]) }),
    };
  };
  const list = (depth: number): Schema => {
    const minItems = whole(0, 2);
    const bounds = {
      ...(maybe(0.4) && { minItems }),
      ...(maybe(0.6) && { maxItems: minItems + whole(0, 3) }),
    };
    if (maybe(0.3)) {
      const prefixItems = Array.from({ length: whole(1, 3) }, () => any(depth + 1));
      const items = pick([undefined, false, any(depth + 1)]);
      return { type: 'array', prefixItems, ...(items !== undefined && { items }), ...bounds };
    }
    return { type: 'array', items: any(depth + 1), ...bounds };
  };
  const object = (depth: number): Schema => {
    const own = some(names, 0, 4);
    const properties = Object.fromEntries(own.map((name) => [name, any(depth + 1)]));
    const additional = pick([undefined, undefined, false, true, any(depth + 1)]);
    const schema: Record<string, unknown> = {
      type: 'object',
      properties,
      required: some(own, 0, own.length),
      ...(additional !== undefined && { additionalProperties: additional }),
    };
    if (maybe(0.15))
      schema.patternProperties = { '^n': any(depth + 1), '[0-9]$': { type: 'integer' } };
    if (maybe(0.1)) schema.propertyNames = { pattern: '^[a-zö"-]', maxLength: 9 };
    if (maybe(0.15)) schema.maxProperties = own.length;
    if (maybe(0.1)) schema.minProperties = Math.min(own.length, 2);
    if (maybe(0.1) && additional !== false)
      schema.required = [...(schema.required as string[]), 'extra'];
    return schema;
  };
  const combined = (depth: number): Schema => {
    switch (whole(0, 6)) {
      case 0:
        return { anyOf: Array.from({ length: whole(2, 3) }, () => any(depth + 1)) };
      case 1:
        return {
          oneOf: ['circle', 'square'].map((kind) => ({
            type: 'object',
            properties: { kind: { const: kind }, size: number('number') },
            required: ['kind', 'size'],
            additionalProperties: false,
          })),
        };
      case 2:
        return { allOf: [text(), { maxLength: 20 }] };
      case 3:
        return {
          allOf: [
            { type: 'object', properties: { a: any(depth + 1) }, required: ['a'] },
            { properties: { a: true, b: any(depth + 1) }, required: maybe(0.5) ? ['b'] : [] },
          ],
        };
      case 4:
        return {
          type: pick([
            ['string', 'null'],
            ['integer', 'boolean'],
            ['array', 'number'],
          ]),
        };
      case 5:
        return {
          type: 'object',
          properties: { a: text(), b: number('integer') },
          anyOf: [{ required: ['a'] }, { required: ['b'] }],
        };
      default:
        return { $ref: `#/$defs/${pick(['tree', 'chain', 'label'])}`, description: 'shared' };
    }
  };
  const any = (depth: number): Schema => {
    const kind = depth >= 3 ? whole(0, 5) : whole(0, 11);
    if (kind <= 1) return text();
    if (kind === 2) return number('integer');
    if (kind === 3) return number('number');
    if (kind === 4) return { type: pick(['boolean', 'null']) };
    if (kind === 5) {
      return maybe(0.5) ? { const: pick(constants) } : { enum: some(constants, 1, 4) };
    }
    if (kind <= 7) return list(depth);
    if (kind <= 9) return object(depth);
    if (kind === 10) return combined(depth);
    return maybe(0.3) ? true : combined(depth);
  };
  const tree = {
    type: 'object',
    properties: {
      label: text(),
      children: { type: 'array', items: { $ref: '#/$defs/tree' }, maxItems: 2 },
    },
    required: ['label'],
    additionalProperties: false,
  };
  const chain = {
    type: 'object',
    properties: {
      value: number('integer'),
      next: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/chain' }] },
    },
    required: ['value', 'next'],
  };
  const root = maybe(0.7) ? object(0) : maybe(0.5) ? list(0) : any(0);
  if (typeof root === 'boolean') return root;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...root,
    $defs: { tree, chain, label: text() },
  };
}
