import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { exactJson } from '@keel/model/exact-json';
import type { AnySchema, ValidateFunction } from 'ajv';
import { z } from 'zod';
import { type Check, CheckError, type CheckedRow } from './check.ts';
import { simpleCheck } from './simple-check.ts';

export const jsonSchema = z.strictObject({
  type: z.literal('json'),
  /**
   * A JSON Schema (draft 7, or 2020-12 if its `$schema` says so), or its file. Default: the row's
   * field `schema`, if it has one. Formats such as `date` are not checked.
   */
  schema: z.union([z.string().min(1), z.record(z.string(), z.unknown())]).optional(),
  /** Where the JSON is: the whole answer, or also a fenced block or a part of the answer. */
  where: z.enum(['whole', 'anywhere']).default('anywhere'),
});

/**
 * Whether the answer is JSON, and matches the schema.
 * @param folder that the schema's path is relative to
 * @throws ConfigError for a schema that is missing or wrong
 */
export async function jsonCheck(spec: z.output<typeof jsonSchema>, folder: string): Promise<Check> {
  const compile = await compiler();
  const own = spec.schema === undefined ? null : compile(schemaOf(spec.schema, folder));
  const ofRows = new Map<unknown, ValidateFunction>();
  const validatorOf = ({ extra }: CheckedRow): ValidateFunction | null => {
    const { schema } = extra;
    if (own !== null || schema === undefined || schema === null) return own;
    const key = exactJson(schema);
    const known = ofRows.get(key) ?? compile(schema, { row: true });
    ofRows.set(key, known);
    return known;
  };
  return simpleCheck({
    name: 'json',
    admit: (row) => void validatorOf(row),
    check(answer, row) {
      const validate = validatorOf(row);
      const candidates = spec.where === 'whole' ? [answer] : jsonParts(answer);
      const values = candidates.flatMap((text) => parsed(text));
      if (values.length === 0) return { score: 0, read: null, note: 'no JSON in the answer' };
      // The last part that matches, or the last one.
      const value = values.findLast((one) => validate?.(one) ?? true) ?? values.at(-1);
      const right = validate === null || validate(value);
      const [fault] = validate?.errors ?? [];
      return {
        score: Number(right),
        read: JSON.stringify(value),
        ...(!right && { note: `${fault?.instancePath || 'the value'} ${fault?.message}` }),
      };
    },
  });
}

/** @param row whether the schema is a row's, which is then at fault */
type Compile = (schema: unknown, options?: { row: boolean }) => ValidateFunction;

async function compiler(): Promise<Compile> {
  const [{ Ajv }, { Ajv2020 }] = await Promise.all([import('ajv'), import('ajv/dist/2020.js')]);
  const options = { strict: false, allErrors: false, validateFormats: false } as const;
  return (schema, { row } = { row: false }) => {
    const { $schema = '' } = (schema ?? {}) as { $schema?: string };
    const ajv = /2019-09|2020-12/.test(String($schema)) ? new Ajv2020(options) : new Ajv(options);
    try {
      // Answers are read as JavaScript's numbers, so the schema is too.
      return ajv.compile(JSON.parse(exactJson(schema)) as AnySchema);
    } catch (error) {
      const message = `the JSON Schema is wrong: ${(error as Error).message}`;
      if (row) throw new CheckError('schema', message, { cause: error });
      throw new ConfigError([`schema: ${message}`], { cause: error });
    }
  };
}

function schemaOf(schema: string | Record<string, unknown>, folder: string): unknown {
  if (typeof schema !== 'string') return schema;
  const path = resolve(folder, schema);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError([`schema: ${path}: ${(error as Error).message}`], { cause: error });
  }
}

function parsed(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}

/** Parts of a text that may be JSON: all of it, fenced blocks, and balanced braces or brackets. */
export function jsonParts(text: string): string[] {
  if (parsed(text).length > 0) return [text];
  const fenced = [...text.matchAll(/(?:```|~~~)[a-z0-9]*\s*\n?([\s\S]*?)(?:```|~~~)/gi)]
    .map((match) => match[1]!)
    .filter((block) => parsed(block).length > 0);
  return fenced.length > 0 ? fenced : balanced(text);
}

/** Outermost objects and lists that parse. */
function balanced(text: string): string[] {
  const parts: string[] = [];
  for (let start = 0; start < text.length; start++) {
    if (text[start] !== '{' && text[start] !== '[') continue;
    const end = closing(text, start);
    if (end === null || parsed(text.slice(start, end)).length === 0) continue;
    parts.push(text.slice(start, end));
    start = end - 1;
  }
  return parts;
}

/** The place behind the bracket that closes the one at `start`; null if none does. */
function closing(text: string, start: number): number | null {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1;
  }
  return null;
}
