import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hashFiles } from '@keel/model';

/**
 * SHA-256 of a file, or of a folder's own files and their order. Hidden files and READMEs are
 * ignored.
 */
export function hashPath(path: string): Promise<string> {
  if (!statSync(path).isDirectory()) return hashFiles([path]);
  const names = readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !/^(\.|README)/i.test(basename(entry.name)))
    .map(({ name }) => name)
    .sort();
  return hashFiles(names.map((name) => join(path, name)));
}
