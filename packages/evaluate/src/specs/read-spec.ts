// Suites, gates and tasks: YAML files that zod schemas describe, with the place of every fault.
import { ConfigError } from '@keel/align/config';
import { placeIn, readSpec, readYamlFile, specFaults, type YamlFile } from '@keel/align/internal';
import type { z } from 'zod';

type Path = readonly PropertyKey[];

/** A value that a schema has checked, and where its parts are in the file. */
export interface Spec<Value> {
  value: Value;
  /** `file:line:column` of a part, or of the nearest one around it. */
  placeOf(path: Path): string;
}

/**
 * Reads and checks a YAML file of Keel.
 * @param what the file should contain, for messages: `a suite, with "tasks:" in it`
 * @throws ConfigError naming file, line and column of every fault
 */
export function checkSpec<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  what: string,
): Spec<z.output<Schema>> {
  const file = openSpec(path, what);
  return {
    value: readSpec(file, schema, { subject: 'the file' }),
    placeOf: (at) => placeIn(file, at),
  };
}

/**
 * Checks a file of another program, whose values are what YAML says that they are.
 * @param given what is checked instead of the file's own value, such as with included keys
 * @throws as {@link checkSpec}
 */
export function checkForeignSpec<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  what: string,
  given?: unknown,
): z.output<Schema> {
  const file = openSpec(path, what);
  const value: unknown = given ?? file.document.toJS({ maxAliasCount: 100 });
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    specFaults(schema, value, parsed.error, 'the file').map(
      ({ path: at, text }) => `${placeIn(file, at)}: ${text}`,
    ),
  );
}

function openSpec(path: string, what: string): YamlFile {
  const file = readYamlFile(path, what);
  if (file.pairs.length > 0) return file;
  throw new ConfigError([`${path}: is empty; expected ${what}`]);
}
