// Constraints in the forms of OpenAI's and vLLM's APIs.
import type { Constraint } from '../constraint.ts';
import { ConstraintError } from '../language/constraint-error.ts';

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const refuse = (field: string, what: string): never => {
  throw new ConstraintError(`${field}: ${what}`);
};

function demandOnly(field: string, value: Fields, known: readonly string[]): void {
  const other = Object.keys(value).find((name) => !known.includes(name));
  if (other !== undefined)
    refuse(`${field}.${other}`, `unknown field; known are ${known.join(', ')}`);
}

/**
 * OpenAI's `response_format`: `{"type": "text"}`, `{"type": "json_object"}` or
 * `{"type": "json_schema", "json_schema": {"name": …, "schema": {…}, "strict": true}}`. A schema is
 * always enforced, whatever `strict` says.
 * @returns null for text
 * @throws ConstraintError naming the field
 */
export function constraintOfResponseFormat(
  value: unknown,
  field = 'response_format',
): Constraint | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) return refuse(field, 'expected an object with a type');
  const { type, json_schema: described } = value;
  if (type === 'json_schema') {
    demandOnly(field, value, ['type', 'json_schema']);
    const within = `${field}.json_schema`;
    if (!isObject(described) || described.schema === undefined) {
      return refuse(within, 'expected {"name": …, "schema": {…}}');
    }
    demandOnly(within, described, ['name', 'description', 'schema', 'strict']);
    return { kind: 'json-schema', schema: described.schema };
  }
  demandOnly(field, value, ['type']);
  if (type === 'text') return null;
  if (type === 'json_object') return { kind: 'json' };
  return refuse(`${field}.type`, 'expected "text", "json_object" or "json_schema"');
}

/**
 * vLLM's `structured_outputs`: an object with one of `json` (a schema, or its JSON text), `regex`,
 * `choice`, `grammar` and `json_object`.
 * @throws ConstraintError naming the field
 */
export function constraintOfStructuredOutputs(
  value: unknown,
  field = 'structured_outputs',
): Constraint | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) return refuse(field, 'expected an object');
  demandOnly(field, value, ['json', 'regex', 'choice', 'grammar', 'json_object']);
  const given = Object.entries(value).filter(([, own]) => own !== null && own !== undefined);
  const [first, second] = given;
  if (first === undefined || second !== undefined) {
    return refuse(field, 'expected one of json, regex, choice, grammar, json_object');
  }
  const [name, own] = first;
  return constraintOfField(name, own, `${field}.${name}`);
}

/** A constraint by the name of its kind in vLLM's API. */
export function constraintOfField(name: string, value: unknown, field: string): Constraint {
  switch (name) {
    case 'json':
      return { kind: 'json-schema', schema: schemaOf(value, field) };
    case 'regex':
      return { kind: 'regex', pattern: textOf(value, field) };
    case 'grammar':
      return { kind: 'grammar', text: textOf(value, field) };
    case 'choice': {
      const isList = Array.isArray(value) && value.length > 0;
      if (!isList || !value.every((one) => typeof one === 'string' && one !== '')) {
        return refuse(field, 'expected a list of texts, none of them empty');
      }
      return { kind: 'choice', choices: value };
    }
    default:
      return value === true ? { kind: 'json' } : refuse(field, 'expected true');
  }
}

const textOf = (value: unknown, field: string): string =>
  typeof value === 'string' && value !== '' ? value : refuse(field, 'expected a text');

function schemaOf(value: unknown, field: string): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch (error) {
    return refuse(field, `is not JSON: ${(error as Error).message}`);
  }
}
