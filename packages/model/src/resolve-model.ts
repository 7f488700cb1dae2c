import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
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

/** Downloads a repository's model files into the hub's own cache, by its ordinary client and token. */
async function fetchFromHub(repo: string): Promise<string> {
  const { snapshotDownload } = await import('@huggingface/hub');
  try {
    return await snapshotDownload({
      repo,
      cacheDir: join(cacheFolder(), 'hub'),
      ...(process.env.HF_TOKEN ? { accessToken: process.env.HF_TOKEN } : {}),
    });
  } catch (cause) {
    throw new Error(
      `hub:${repo} could not be fetched: ${cause instanceof Error ? cause.message : cause}. Check the name and the network, set HF_TOKEN for a private model, or give a local folder`,
      { cause },
    );
  }
}
