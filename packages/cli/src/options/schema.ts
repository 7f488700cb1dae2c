import { defineOptions, methodVerbs, option } from '@keel/align/config';
import { z } from 'zod';
import { withOperand } from './operand.ts';

const configurable = [
  ...methodVerbs.map(({ name }) => name),
  ...['compare', 'align', 'best-of-n', 'revise', 'label', 'ask', 'generate', 'chat', 'score'],
  ...[
    'judge',
    'export',
    'studio',
    'serve',
    'audit',
    'overoptimise',
    'evaluate',
    'merge',
    'tokens',
    'suite',
    'gates',
  ],
];

export const operand = 'verb';

export const definition = withOperand(
  operand,
  defineOptions(
    'schema',
    z.strictObject({
      verb: option(z.enum(configurable), {
        description:
          'verb whose YAML file the schema describes; or suite or gates, of keel evaluate',
        group: 'Model and data',
      }),
    }),
    { complete: (parsed) => parsed },
  ),
);

export const example = 'npx keel schema dpo > keel-dpo.schema.json';
