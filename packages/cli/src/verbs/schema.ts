import { sayJson } from '../terminal.ts';
import { ConfigError, optionsJsonSchema } from '../torch-free/align-config.ts';
import { verbs } from '../verb-list.ts';

export async function run({ verb }: { verb: string }): Promise<number> {
  const { definition, jsonSchema } = await verbs.find(({ name }) => name === verb)!.options();
  if (jsonSchema === undefined && !definition.descriptors.some(({ name }) => name === 'config')) {
    throw new ConfigError([`keel ${verb} does not read a YAML file, so it has no schema`]);
  }
  sayJson(jsonSchema?.() ?? optionsJsonSchema(definition), 2);
  return 0;
}
