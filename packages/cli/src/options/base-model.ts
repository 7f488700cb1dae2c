import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  baseOfAdapter,
  DEFAULT_MODEL_NAME,
  DEFAULT_MODEL_REPOSITORY,
} from '@keel/model/without-torch';

/**
 * Fills in --model where it is not given: the base that the adapter names, otherwise the default
 * model.
 * @throws Error if the adapter names a base that does not exist
 */
export const withBase = <Options extends { model: string | null; adapter: string | null }>(
  options: Options,
): Options & { model: string } => ({
  ...options,
  model: options.model ?? baseFor(options.adapter),
});

/** @throws Error if the adapter names a base that does not exist */
export function baseFor(adapter: string | null): string {
  // What is wrong with another folder is reported when it is loaded as an adapter.
  if (adapter === null || !existsSync(join(adapter, 'adapter_config.json'))) {
    return DEFAULT_MODEL_NAME;
  }
  const base = baseOfAdapter(adapter);
  // The default model is a quantised copy of this repository.
  if (base === `hub:${DEFAULT_MODEL_REPOSITORY}`) return DEFAULT_MODEL_NAME;
  if (base === DEFAULT_MODEL_NAME || base.startsWith('hub:') || existsSync(base)) return base;
  throw new Error(
    `--adapter ${adapter}: its base model was ${base}, which does not exist. Pass the base as --model`,
  );
}
