import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { asidePath, writeAside } from '../formats/write-aside.ts';

/**
 * Writes a folder beside its place and renames it, so that it is there whole or not at all. Where it exists already, its files
 * are replaced one by one and others stay: `fill` must then write each aside.
 */
export function writeFolder(folder: string, fill: (inside: string) => void): void {
  if (existsSync(folder)) {
    fill(folder);
    return;
  }
  const aside = asidePath(folder);
  mkdirSync(aside, { recursive: true });
  try {
    fill(aside);
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    throw error;
  }
}

export const writeJson = (path: string, json: unknown): void =>
  writeAside(path, (append) =>
    append(new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`)),
  );
