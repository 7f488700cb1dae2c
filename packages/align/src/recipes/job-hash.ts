import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashPath } from '../data/hash-path.ts';
import { type JobStage, stageFolder } from './recipe.ts';

/** SHA-256 of the files that are the stage's result; null if there are none. */
export async function jobHash(output: string, { name, job }: JobStage): Promise<string | null> {
  const files = job.results
    .map((file) => join(stageFolder(output, name), file))
    .filter((path) => existsSync(path));
  if (files.length === 0) return null;
  const hash = createHash('sha256');
  for (const path of files) hash.update(`${await hashPath(path)}\n`);
  return hash.digest('hex');
}
