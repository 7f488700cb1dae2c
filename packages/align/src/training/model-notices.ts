// What a run reports about its model before it computes anything.
import { type LanguageModel, otherBaseNotice } from '@keel/model';
import { dateNotice } from '../config/template-options.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import type { DataRows } from '../data/derived-rows.ts';
import type { RowKind } from '../data/rows.ts';
import { notePlainRows } from './plain-rows.ts';
import type { Notice } from './run-data.ts';

/**
 * Reports the date that the chat template prints, an adapter on another base than its own, and
 * plain rows that the template does not render.
 */
export async function noteModel(
  model: LanguageModel,
  { templateDate, adapter }: Pick<TrainingOptions, 'templateDate' | 'adapter'>,
  rows: DataRows<RowKind>,
  notice: Notice,
): Promise<void> {
  const { chatTemplate } = model.tokenizer;
  const dated = dateNotice(chatTemplate, { now: templateDate! });
  if (dated !== null) notice(dated);
  const other = adapter === null ? null : await otherBaseNotice(model, adapter);
  if (other !== null) notice(other, 'other-base');
  notePlainRows(rows, chatTemplate, notice);
}
