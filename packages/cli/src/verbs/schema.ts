import { ConfigError, optionsJsonSchema } from '../torch-free/align-config.ts';
import { verbs } from '../verb-list.ts';

export async function run({ verb }: { verb: string }): Promise<number> {
  const { definition } = await verbs.find(({ name }) => name === verb)!.options();
  if (!definition.descriptors.some(({ name }) => name === 'config')) {
    throw new ConfigError([`keel ${verb} takes no YAML file`]);
  }
  console.log(JSON.stringify(optionsJsonSchema(definition), null, 2));
  return 0;
}
