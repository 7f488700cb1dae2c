import { existsSync } from 'node:fs';
import { ConfigError } from '../config/config-error.ts';

/** @throws ConfigError for files that exist, unless they may be overwritten */
export function refuseExisting(paths: readonly string[], overwrite: boolean): void {
  const existing = overwrite ? [] : paths.filter((path) => existsSync(path));
  if (existing.length === 0) return;
  throw new ConfigError([
    `--output: ${existing.join(', ')} already exists. Pass --overwrite, or choose another name`,
  ]);
}
