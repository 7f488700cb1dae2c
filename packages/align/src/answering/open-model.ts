// Opens a model for programs, with an adapter if there is one.

import {
  DEFAULT_MODEL_NAME,
  type LanguageModel,
  type LoadModelOptions,
  loadAdapter,
  loadModel,
} from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import { runResult } from '../config/run-result.ts';
import { type TemplateOptions, templateSettings } from '../config/template-options.ts';

/** How a model is opened for answers. */
export interface OpenModelOptions extends Pick<LoadModelOptions, 'precision' | 'device'> {
  /** Folder of an adapter of this model, or of the run that trained it (default: none). */
  adapter?: string | null;
  /** Jinja file of a chat template (default: the adapter's, otherwise the model's). */
  chatTemplate?: string | null;
  /** Variables of the chat template. */
  chatTemplateKwargs?: Readonly<Record<string, unknown>> | null;
  /** Date and time that the chat template prints (default: now). */
  templateDate?: string | null;
}

/** A model in memory, and the adapter that it answers with. Dispose it to free the memory. */
export interface OpenedModel extends Disposable {
  model: LanguageModel;
  /** Name of the adapter, for `generate`; null: the model alone. */
  adapter: string | null;
}

const ADAPTER = 'adapter';

/**
 * Loads a model, and an adapter of it.
 * @param name a folder, a run's folder, a GGUF file, `hub:owner/name[@revision]`, or the default
 *   model's name
 * @throws CheckpointError if files are damaged or the adapter is of another model; Error if they do
 *   not exist
 */
export async function openModel(
  name: string = DEFAULT_MODEL_NAME,
  { adapter: named = null, precision, device, ...own }: OpenModelOptions = {},
): Promise<OpenedModel> {
  const adapter = named === null ? null : runResult(named);
  const { chatTemplateKwargs: variables = null, ...template } = own;
  const settings: TemplateOptions = {
    ...template,
    chatTemplateKwargs: variables && exactJson(variables),
  };
  const model = await loadModel(runResult(name), {
    template: templateSettings(settings, adapter),
    ...(precision && { precision }),
    ...(device && { device }),
  });
  const opened = { model, adapter: null, [Symbol.dispose]: () => model.dispose() };
  if (adapter === null) return opened;
  try {
    loadAdapter(model.decoder, adapter, ADAPTER);
    return { ...opened, adapter: ADAPTER };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
