// Whether an adapter is applied to the base that it was trained on.
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { parseHubName } from '../hub/hub-name.ts';
import { readModelOrigin } from '../loading/model-origin.ts';
import {
  BASE_HASH_METADATA,
  baseOfAdapter,
  baseReference,
  canonicalModelName,
  metadataOf,
} from './base-reference.ts';

/** The part of a model that is needed here. */
export interface NamedModel {
  name: string;
  hash(): Promise<string>;
}

/** What {@link otherBase} finds, with what to do about it where `--model` names the base. */
export async function otherBaseNotice(model: NamedModel, folder: string): Promise<string | null> {
  const found = await otherBase(model, folder);
  return found === null ? null : `${found}. ${advice(namedBase(folder))}`;
}

/**
 * A sentence if the loaded base is not the one that the adapter's files record; null if it is, or
 * if they record none. Keel's adapters record the hash of the base's files; for others, names are
 * compared.
 */
export async function otherBase(model: NamedModel, folder: string): Promise<string | null> {
  const recorded = metadataOf(folder)[BASE_HASH_METADATA];
  const base = namedBase(folder);
  if (recorded === undefined) {
    if (base === null || isSameName(base, model.name)) return null;
    return `${folder}: this adapter names ${base} as its base, and is applied to ${model.name}`;
  }
  const hash = await model.hash();
  if (hash === recorded || isCopyOf(model.name, recorded)) return null;
  const named = base === null ? 'another base' : base;
  return (
    `${folder}: this adapter was trained on ${named} (SHA-256 ${recorded.slice(0, 12)}…), and is applied ` +
    `to ${model.name} (SHA-256 ${hash.slice(0, 12)}…), whose weights or configuration differ`
  );
}

/** The base that an adapter's files name, for messages; null if they name none. */
export function namedBase(folder: string): string | null {
  try {
    return baseOfAdapter(folder);
  } catch {
    return null;
  }
}

const advice = (base: string | null): string =>
  `If that is not intended, pass ${base === null ? 'its base' : base} as --model`;

/** Whether the model is a folder that `keel merge` wrote with the base's own weights. */
function isCopyOf(name: string, sha256: string): boolean {
  if (!existsSync(name)) return false;
  const origin = readModelOrigin(name);
  return origin !== null && origin.adapterSha256 === null && origin.baseSha256 === sha256;
}

/** A model may be on the hub and in a local folder of the same name. */
function isSameName(base: string, name: string): boolean {
  const [one, other] = [canonicalModelName(base), canonicalModelName(name)];
  const repository = (text: string): string =>
    parseHubName(text)?.repository ?? baseReference(text).base_model_name_or_path;
  const last = (text: string): string =>
    basename(repository(text).replace(/\/snapshots\/[^/]+\/?$/, ''))
      .replace(/^models--.*--/, '')
      .toLowerCase();
  return one === other || last(one) === last(other);
}
