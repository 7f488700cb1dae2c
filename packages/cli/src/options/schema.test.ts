import { expect, it } from 'vitest';
import { verbs } from '../verb-list.ts';
import { definition } from './schema.ts';

it('has a schema for every verb of one word that reads a YAML file, and for no other', async () => {
  const reading: string[] = [];
  for (const { name, options } of verbs.filter((one) => !one.name.includes(' '))) {
    const { definition, jsonSchema } = await options();
    const configurable = definition.descriptors.some((one) => one.name === 'config');
    if (configurable || jsonSchema !== undefined) reading.push(name);
  }
  const verb = definition.descriptors.find(({ name }) => name === 'verb')!;
  const known = [...reading, 'suite', 'gates'].toSorted();
  expect([...(verb.choices ?? [])].toSorted()).toEqual(known);
});
