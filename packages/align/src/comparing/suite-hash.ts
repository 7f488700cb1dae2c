// What the numbers of a suite depend on. Packages above this one know what a suite is.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { hashPath } from '../data/hash-path.ts';

/**
 * A suite's file by its content, and by that of all files and folders that its texts name relative
 * to it: rows, checks, rewards, judges. A suite that comes with Keel is its name.
 */
export async function suiteHash(suite: string): Promise<string> {
  if (!existsSync(suite)) return suite;
  const folder = dirname(suite);
  const named = [...new Set(textsIn(parse(readFileSync(suite, 'utf8')) as unknown))].flatMap(
    (text) => {
      // As in reward:runs/reward and checks.ts#name.
      const named = text.replace(/^[a-z]+:/, '').split('#')[0]!;
      const path = resolve(folder, named);
      return /\w/.test(named) && existsSync(path) ? [path] : [];
    },
  );
  const hashes = await Promise.all([suite, ...named].map(hashPath));
  return createHash('sha256').update(hashes.join('\n')).digest('hex');
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.includes('\n') ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
