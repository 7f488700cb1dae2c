// How an adapter's files name its base, so that PEFT and Keel can find it.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openSafetensors } from '../formats/safetensors.ts';
import { parseHubName } from '../hub/hub-name.ts';
import { DEFAULT_MODEL_NAME, DEFAULT_MODEL_REPOSITORY, isDefaultModel } from '../resolve-model.ts';

/** The two fields of adapter_config.json. */
export interface BaseReference {
  /** A repository on the hub, or an absolute path. */
  base_model_name_or_path: string;
  /** Branch, tag or commit; null: the main branch. */
  revision: string | null;
}

/**
 * Translates a model's name in Keel for PEFT: `hub:owner/name@revision` becomes the repository and
 * its revision, a path becomes absolute, and the default model becomes the repository that its file
 * was made from.
 */
export function baseReference(name: string): BaseReference {
  const canonical = canonicalModelName(name);
  const hub = parseHubName(canonical);
  if (hub !== null) return { base_model_name_or_path: hub.repository, revision: hub.revision };
  const base = canonical === DEFAULT_MODEL_NAME ? DEFAULT_MODEL_REPOSITORY : canonical;
  return { base_model_name_or_path: base, revision: null };
}

/** One canonical name for a model, regardless of the working directory and of spelling. */
export function canonicalModelName(name: string): string {
  if (isDefaultModel(name)) return DEFAULT_MODEL_NAME;
  if (parseHubName(name) !== null || (isRepository(name) && !existsSync(name))) return name;
  return resolve(name);
}

/**
 * Metadata key of an adapter's safetensors file that holds the base's name in Keel. It is needed
 * because the default model is not identical to the repository's own file.
 */
export const BASE_METADATA = 'keel_base_model';

/** Metadata key with the SHA-256 of the base's files, so that another base is noticed. */
export const BASE_HASH_METADATA = 'keel_base_sha256';

/**
 * The base that an adapter's files name, in the form that `loadModel` takes.
 * @throws Error if they do not name one
 */
export function baseOfAdapter(folder: string): string {
  const path = join(folder, 'adapter_config.json');
  const { base_model_name_or_path: base, revision } = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof base !== 'string' || base === '') {
    throw new Error(`${path} does not name the base model. Pass the base with --model`);
  }
  const own = metadataOf(folder)[BASE_METADATA];
  if (own !== undefined) {
    const reference = baseReference(own);
    const isSame =
      reference.base_model_name_or_path === base && reference.revision === (revision ?? null);
    // A different name in adapter_config.json was edited by hand, so it takes precedence.
    if (isSame) return own;
  }
  // As in transformers, a folder takes precedence over a repository.
  if (existsSync(base) || !isRepository(base)) return base;
  return typeof revision === 'string' && revision !== ''
    ? `hub:${base}@${revision}`
    : `hub:${base}`;
}

/** Empty if there is no file. */
export function metadataOf(folder: string): Readonly<Record<string, string>> {
  const path = join(folder, 'adapter_model.safetensors');
  if (!existsSync(path)) return {};
  using file = openSafetensors(path);
  return file.metadata;
}

const isRepository = (name: string): boolean => /^[\w.-]+\/[\w.-]+$/.test(name);

/** The repository on the hub that a model comes from, and whether it is a GGUF file. */
export function baseKind(name: string): { repository: string | null; gguf: boolean } {
  if (canonicalModelName(name) === DEFAULT_MODEL_NAME) {
    return { repository: DEFAULT_MODEL_REPOSITORY, gguf: true };
  }
  const hub = parseHubName(name);
  if (hub !== null) return { repository: hub.repository, gguf: false };
  return { repository: null, gguf: existsSync(name) && !statSync(name).isDirectory() };
}
