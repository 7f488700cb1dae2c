// The options that limit what an answer may be.
import { readFileSync } from 'node:fs';
import type { Constraint } from '@keel/model';
import { fileError } from '@keel/model/without-torch';
import { z } from 'zod';
import type { OptionGroup } from './option-groups.ts';
import { option } from './options.ts';

/** Options of verbs that sample answers; at most one of them is given. */
export const constraintShape = (group: OptionGroup) => ({
  jsonSchema: option(z.string().min(1).nullable().default(null), {
    description:
      'JSON Schema that every answer matches: a file, or the schema itself; keywords that are not enforced are refused',
    group,
    value: 'file|json',
    literal: true,
    sparse: true,
    shownDefault: 'any text',
  }),
  jsonObject: option(z.boolean().default(false), {
    description: 'every answer is a JSON object',
    group,
    sparse: true,
  }),
  regex: option(z.string().min(1).nullable().default(null), {
    description: 'regular expression, in JavaScript syntax, that every answer matches as a whole',
    group,
    value: 'pattern',
    literal: true,
    sparse: true,
    shownDefault: 'any text',
  }),
  grammar: option(z.string().min(1).nullable().default(null), {
    description:
      'file with a grammar in GBNF, the notation of llama.cpp, that every answer matches',
    group,
    reads: 'file',
    sparse: true,
    shownDefault: 'any text',
  }),
  choices: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description: 'every answer is one of these texts',
    group,
    literal: true,
    sparse: true,
    shownDefault: 'any text',
  }),
});

export interface ConstraintOptions {
  jsonSchema: string | null;
  jsonObject: boolean;
  regex: string | null;
  /** Path of a file. */
  grammar: string | null;
  choices: string[] | null;
}

const flags = {
  jsonSchema: '--json-schema',
  jsonObject: '--json-object',
  regex: '--regex',
  grammar: '--grammar',
  choices: '--choices',
} as const;
type Name = keyof typeof flags;

const givenNames = (options: ConstraintOptions): Name[] =>
  (Object.keys(flags) as Name[]).filter(
    (name) => options[name] !== null && options[name] !== false,
  );

/** Whether answers must match something. */
export const isConstrained = (options: ConstraintOptions): boolean =>
  givenNames(options).length > 0;

/** Adds an issue if there is more than one constraint. */
export function checkConstraint(
  options: ConstraintOptions,
  add: (name: string, message: string) => void,
): void {
  const [first, second] = givenNames(options);
  if (first === undefined || second === undefined) return;
  add(second, `answers already must match ${flags[first]}. Pass only one of them`);
}

/** The flag of the constraint; null: there is none. */
export const constraintFlag = (options: ConstraintOptions): string | null => {
  const [name] = givenNames(options);
  return name === undefined ? null : flags[name];
};

/**
 * What answers must match; null: anything.
 * @throws Error naming the option whose file cannot be read or is not JSON
 */
export function readConstraint(options: ConstraintOptions): Constraint | null {
  const { jsonSchema, jsonObject, regex, grammar, choices } = options;
  if (jsonSchema !== null) return { kind: 'json-schema', schema: readSchema(jsonSchema) };
  if (jsonObject) return { kind: 'json' };
  if (regex !== null) return { kind: 'regex', pattern: regex };
  if (grammar !== null) return { kind: 'grammar', text: readText('--grammar', grammar) };
  return choices === null ? null : { kind: 'choice', choices };
}

function readSchema(given: string): unknown {
  const isText = given.trimStart().startsWith('{');
  const text = isText ? given : readText('--json-schema', given);
  try {
    return JSON.parse(text);
  } catch (error) {
    const where = isText ? '' : ` ${given}`;
    throw new Error(`--json-schema${where}: is not JSON: ${(error as Error).message}`);
  }
}

function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new Error(`${flag} ${(fileError(error, { path, use: 'read' }) as Error).message}`);
  }
}
