import { defineOptions, formatNames, option } from '@keel/align/config';
import { z } from 'zod';
import { filesShape, operand, outputOption, targetShape } from './data-shape.ts';
import { withOperand } from './operand.ts';

export { operand };

const schema = z.strictObject({
  ...filesShape,
  from: option(z.enum(['auto', ...formatNames]).default('auto'), {
    description: 'format of the rows; auto: recognised by their columns',
    group: 'Model and data',
    value: 'format',
    common: true,
  }),
  score: option(z.string().min(1).nullable().default(null), {
    description:
      'rating by which answers are compared, such as helpfulness (HelpSteer, UltraFeedback) or overall_score (UltraFeedback)',
    group: 'Model and data',
    value: 'name',
    common: true,
    shownDefault: 'helpfulness for HelpSteer, the mean rating for UltraFeedback',
  }),
  output: outputOption,
  ...targetShape,
});

export const definition = withOperand(
  operand,
  defineOptions('data convert', schema, { complete: (parsed) => parsed }),
);

export type DataConvertOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data convert sharegpt.json --output chats.jsonl';
