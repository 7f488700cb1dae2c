import { isAbsolute, resolve } from 'node:path';

/** ` (/data/pairs.jsonl; …)`: where a missing path was looked for. Empty for an absolute path. */
export function soughtAt(
  path: string,
  relativeTo = 'the folder in which the command runs',
): string {
  if (isAbsolute(path)) return '';
  return ` (looked for ${resolve(path)}, since paths are relative to ${relativeTo})`;
}
