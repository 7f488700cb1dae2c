import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckedModel } from '@keel/align/checking';
import {
  dateNotice,
  type TemplateOptions,
  templateSettings,
  trainingShape,
} from '@keel/align/config';
import { loadTokenizer, resolveModel } from '@keel/model/without-torch';

/**
 * Opens a model's tokenizer and reads its limits, without its weights.
 * @returns null without a model, or if the default model is not on this machine
 * @throws Error if there is no such model
 */
export async function openChecked(
  options: TemplateOptions & { model: string | null },
  note: (text: string) => void,
): Promise<CheckedModel | null> {
  const { model } = options;
  if (model === null) return null;
  let folder: string;
  try {
    folder = await resolveModel(model);
  } catch (error) {
    if (model !== trainingShape.model.def.defaultValue) throw error;
    note(
      `lengths are in characters, because the default model ${model} is not on this machine. Pass --model, or run npx keel setup`,
    );
    return null;
  }
  const template = templateSettings(options);
  const tokenizer = await loadTokenizer(model, { template });
  const dated = dateNotice(tokenizer.chatTemplate, template);
  if (dated !== null) note(dated);
  return { name: model, tokenizer, ...limitsOf(folder) };
}

interface Config {
  vocab_size?: number;
  max_position_embeddings?: number;
  n_positions?: number;
  text_config?: Config;
}

/** From the model's config.json; null where it says nothing. */
function limitsOf(folder: string): Pick<CheckedModel, 'positions' | 'vocabularySize'> {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return { positions: null, vocabularySize: null };
  const config = JSON.parse(readFileSync(path, 'utf8')) as Config;
  const own = { ...config, ...config.text_config };
  return {
    positions: own.max_position_embeddings ?? own.n_positions ?? null,
    vocabularySize: own.vocab_size ?? null,
  };
}
