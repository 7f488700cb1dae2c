import { ConfigError, optionsJsonSchema } from '@keel/align/config';
import { fileJsonSchema, fileNames } from '@keel/evaluate/schemas';
import { sayJson } from '../terminal.ts';
import type { Verb } from '../verb.ts';

/** Prints the JSON Schema of a verb's YAML file, of suites or of gates. @returns the exit code */
export async function printSchema(
  { verb }: { verb: string },
  verbs: readonly Verb[],
): Promise<number> {
  const file = fileNames.find((name) => name === verb);
  if (file !== undefined) {
    sayJson(fileJsonSchema(file), 2);
    return 0;
  }
  const { definition, jsonSchema } = await verbs.find(({ name }) => name === verb)!.options();
  if (jsonSchema === undefined && !definition.descriptors.some(({ name }) => name === 'config')) {
    throw new ConfigError([`keel ${verb} does not read a YAML file, so it has no schema`]);
  }
  sayJson(jsonSchema?.() ?? optionsJsonSchema(definition), 2);
  return 0;
}
