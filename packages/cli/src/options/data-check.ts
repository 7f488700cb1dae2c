import {
  defineOptions,
  detailsOf,
  methodVerbs,
  onlineShape,
  option,
  trainingShape,
  variant,
} from '@keel/align/config';
import { z } from 'zod';
import { filesShape, operand } from './data-shape.ts';
import { withOperand } from './operand.ts';
import { modelShape } from './shared.ts';

export { operand };

const { columns, files, json } = filesShape;
const { chatTemplate, chatTemplateKwargs, templateDate } = modelShape;
const { maxLength, model, evalData, wrapChat } = trainingShape;
const rows = 'Model and data';

const schema = z.strictObject({
  files: variant(files, {
    description: files.description!.replace('rows to read', 'rows to check'),
  }),
  evalData: variant(evalData, {
    description: 'held-out rows: checked too, and compared with the others',
    shownDefault: 'none',
  }),
  model: option(model.unwrap().nullable().default(model.def.defaultValue), {
    ...detailsOf(model),
    description:
      'model whose tokenizer, chat template and limits are used; its weights are not loaded; none: lengths in characters',
  }),
  for: option(
    z
      .enum(methodVerbs.map(({ name }) => name))
      .nullable()
      .default(null),
    {
      description: 'check rows as this verb reads them',
      group: rows,
      value: 'verb',
      common: true,
      shownDefault: 'chosen by the fields of the rows',
    },
  ),
  ...{ columns, wrapChat: variant(wrapChat, { common: true }) },
  ...{ chatTemplate, chatTemplateKwargs, templateDate },
  maxLength,
  maxNewTokens: variant(onlineShape.maxNewTokens, {
    description: 'tokens of an answer for which a prompt must leave room (prompts only)',
    group: 'Batching and length',
  }),
  maxErrors: option(z.number().int().min(0).nullable().default(20), {
    description: 'errors to list one by one; none: all. All are counted, and --json lists all',
    group: 'Output',
    common: true,
  }),
  strict: option(z.boolean().default(false), {
    description: 'exit with 1 for warnings too',
    group: 'Output',
    common: true,
  }),
  json: variant(json, {
    description: 'print one JSON object with all facts on stdout and nothing else',
  }),
});

export const definition = withOperand(
  operand,
  defineOptions('data check', schema, { complete: (parsed) => parsed }),
);

export type DataCheckOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data check pairs.jsonl --eval-data held-out.jsonl';
