import { dateNotice, type TemplateOptions, templateSettings } from '@keel/align/config';
import {
  type BasePrecision,
  type LanguageModel,
  loadAdapter,
  loadModel,
  otherBaseNotice,
  type Precision,
  type Role,
} from '@keel/model';
import { setThreads } from '@keel/torch';
import { complain } from './terminal.ts';

export interface ModelOptions extends TemplateOptions {
  model: string;
  adapter: string | null;
  precision: Precision;
  basePrecision: BasePrecision | 'auto';
  device: string;
  threads: number | null;
}

/** The name under which --adapter is loaded. */
const ADAPTER = 'adapter';

/** Loads a model and applies the adapter, if any; `role` is the role to run it in. */
export async function openModel(
  options: ModelOptions,
): Promise<{ model: LanguageModel; role: Role; adapter: string | null }> {
  if (options.threads !== null) setThreads(options.threads);
  const template = templateSettings(options, options.adapter);
  const model = await loadModel(options.model, {
    template,
    precision: options.precision,
    basePrecision: options.basePrecision,
    device: options.device as 'auto' | 'cpu',
  });
  const notice = dateNotice(model.tokenizer.chatTemplate, template);
  if (notice !== null) complain(`note: ${notice}`);
  if (options.adapter === null) return { model, role: 'reference', adapter: null };
  loadAdapter(model.decoder, options.adapter, ADAPTER);
  const other = await otherBaseNotice(model, options.adapter);
  if (other !== null) complain(`note: ${other}`);
  return { model, role: ADAPTER, adapter: ADAPTER };
}
