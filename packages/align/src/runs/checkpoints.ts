import { readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { removeFolderAtomic, writeFileAtomic, writeFolderAtomic } from './atomic-write.ts';

const MANIFEST = 'checkpoint.json';

export interface Checkpoint {
  /** Optimizer steps done when it was written. */
  step: number;
  path: string;
}

interface Manifest {
  step: number;
  /** Bytes of each file, by its path in the checkpoint. */
  files: Record<string, number>;
}

/**
 * Writes `step-N` into a run's folder of checkpoints, whole or not at all, and then removes the
 * oldest beyond `keep`.
 *
 * @param fill writes the checkpoint's files into the folder it is given.
 * @param keep how many newest ones stay; null keeps all.
 */
export async function saveCheckpoint(
  folder: string,
  step: number,
  fill: (folder: string) => Promise<void> | void,
  keep: number | null,
): Promise<Checkpoint> {
  const path = join(folder, `step-${step}`);
  await writeFolderAtomic(path, async (aside) => {
    await fill(aside);
    const manifest: Manifest = { step, files: await fileSizes(aside) };
    writeFileAtomic(join(aside, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  });
  if (keep !== null) {
    const older = (await listCheckpoints(folder)).filter((checkpoint) => checkpoint.step <= step);
    for (const checkpoint of older.slice(0, Math.max(0, older.length - keep))) {
      await removeFolderAtomic(checkpoint.path);
    }
  }
  return { step, path };
}

/** The complete checkpoints of a folder, oldest first: those whose files all have their full size. */
export async function listCheckpoints(folder: string): Promise<Checkpoint[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .map((name) => ({ match: /^step-(\d+)$/.exec(name), path: join(folder, name) }))
    .filter(({ match, path }) => match !== null && isComplete(path, Number(match[1])))
    .map(({ match, path }) => ({ step: Number(match![1]), path }))
    .sort((a, b) => a.step - b.step);
}

/** The newest complete checkpoint, or null where there is none. */
export async function latestCheckpoint(folder: string): Promise<Checkpoint | null> {
  return (await listCheckpoints(folder)).at(-1) ?? null;
}

async function fileSizes(folder: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) sizes[relative(folder, path)] = statSync(path).size;
  }
  return sizes;
}

function isComplete(path: string, step: number): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(path, MANIFEST), 'utf8')) as Manifest;
    return (
      manifest.step === step &&
      Object.entries(manifest.files).every(
        ([name, size]) => statSync(join(path, name)).size === size,
      )
    );
  } catch {
    return false;
  }
}
