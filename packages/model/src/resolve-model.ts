import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, ensureDefaultModel } from './formats/default-model.ts';

/** Name of the model that is used where none is named. */
export const DEFAULT_MODEL_NAME = 'SmolLM2-135M-Instruct';

const weightFiles = ['model.safetensors', 'model.safetensors.index.json'];

/**
 * Path of a model's folder or GGUF file; fetches what is not there yet.
 * @throws Error when nothing of that name exists
 */
export async function resolveModel(name: string): Promise<string> {
  if (name === DEFAULT_MODEL_NAME) return ensureDefaultModel();
  if (name.startsWith('hub:')) return fetchFromHub(name.slice('hub:'.length));
  if (!existsSync(name)) {
    throw new Error(
      `no model at ${name}: give a folder with config.json and safetensors, a .gguf file, hub:owner/name, or ${DEFAULT_MODEL_NAME}`,
    );
  }
  if (statSync(name).isDirectory() && !weightFiles.some((file) => existsSync(join(name, file)))) {
    const adapter = existsSync(join(name, 'adapter_config.json'));
    throw new Error(
      adapter
        ? `${name} holds an adapter, not a model: give its base as --model and this folder as --adapter`
        : `${name} holds neither ${weightFiles.join(' nor ')}`,
    );
  }
  return name;
}

/** Files of a repository that a model consists of: weights of other frameworks are left there. */
const modelFile =
  /^(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|model\.safetensors\.index)\.json$|^chat_template\.jinja$|^model[^/]*\.safetensors$/;

/** Downloads a repository's model files into Keel's cache, by the hub's ordinary client and token. */
async function fetchFromHub(repo: string): Promise<string> {
  const { downloadFileToCacheDir, listFiles } = await import('@huggingface/hub');
  const access = process.env.HF_TOKEN ? { accessToken: process.env.HF_TOKEN } : {};
  let config: string | null = null;
  try {
    for await (const { path } of listFiles({ repo, ...access })) {
      if (!modelFile.test(path)) continue;
      const cacheDir = join(cacheFolder(), 'hub');
      const file = await downloadFileToCacheDir({ repo, path, cacheDir, ...access });
      if (path === 'config.json') config = file;
    }
  } catch (cause) {
    throw new Error(
      `hub:${repo} could not be fetched: ${cause instanceof Error ? cause.message : cause}. Check the name and the network, set HF_TOKEN for a private model, or give a local folder`,
      { cause },
    );
  }
  if (config === null)
    throw new Error(`hub:${repo} has no config.json: it is no model that transformers saved`);
  return dirname(config);
}
