import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDefaultModel } from './formats/default-model.ts';
import { soughtAt } from './formats/sought-path.ts';
import type { HubModelOptions } from './hub/fetch-hub-model.ts';
import { hubSuggestion } from './hub/hub-suggestion.ts';

/** Name of the model that is used by default. */
export const DEFAULT_MODEL_NAME = 'SmolLM2-135M-Instruct';

/** The hub repository whose weights the default model's file contains, quantised. */
export const DEFAULT_MODEL_REPOSITORY = 'HuggingFaceTB/SmolLM2-135M-Instruct';

/**
 * Whether a name stands for the default model, ignoring case. A file or folder of this exact name
 * takes precedence.
 */
export const isDefaultModel = (name: string): boolean =>
  name === DEFAULT_MODEL_NAME ||
  (name.toLowerCase() === DEFAULT_MODEL_NAME.toLowerCase() && !existsSync(name));

const weightFiles = ['model.safetensors', 'model.safetensors.index.json'];

/**
 * Path of a model's folder or GGUF file. Missing files are downloaded.
 * @param hub options for downloading `hub:owner/name[@revision]`
 * @throws Error if nothing of that name exists, or it is not a model
 */
export async function resolveModel(name: string, hub: HubModelOptions = {}): Promise<string> {
  if (isDefaultModel(name)) return ensureDefaultModel();
  if (name.startsWith('hub:')) {
    const { fetchHubModel } = await import('./hub/fetch-hub-model.ts');
    return fetchHubModel(name, hub);
  }
  if (!existsSync(name)) {
    const onHub = hubSuggestion(name);
    if (onHub !== null) {
      throw new Error(`no model at ${name}. For the model on the Hugging Face Hub, pass ${onHub}`);
    }
    throw new Error(
      `no model at ${name}${soughtAt(name)}. Pass a folder with config.json and safetensors, a GGUF file, hub:owner/name, or ${DEFAULT_MODEL_NAME}`,
    );
  }
  if (!statSync(name).isDirectory()) {
    if (!name.endsWith('.safetensors')) return name;
    throw new Error(
      `${name} contains only weights. Pass its folder, with config.json and tokenizer.json`,
    );
  }
  const adapter = existsSync(join(name, 'adapter_config.json'));
  const weights = weightFiles.find((file) => existsSync(join(name, file)));
  if (weights !== undefined && adapter) {
    throw new Error(
      `${name} contains a model (${weights}) and an adapter (adapter_config.json), and transformers would load both. Move the adapter's files to a separate folder, and pass that as --adapter`,
    );
  }
  if (weights !== undefined) return name;
  throw new Error(
    adapter
      ? `${name} contains an adapter, not a model. ${adviceFor(name)}`
      : `${name} contains neither ${weightFiles.join(' nor ')}`,
  );
}

/** How to use an adapter that was given as a model. */
function adviceFor(folder: string): string {
  if (taskOf(folder) === 'SEQ_CLS') {
    return 'It belongs to a reward model: pass it as --reward, for example to `keel score`';
  }
  return (
    'Pass its base as --model and this folder as --adapter, ' +
    `or merge them: keel merge --adapter ${folder} --output merged`
  );
}

function taskOf(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')).task_type;
  } catch {
    return null;
  }
}
