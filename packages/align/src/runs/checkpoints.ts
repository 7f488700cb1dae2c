import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, fileError } from '@keel/model';
import { removeFolderAtomic, writeFileAtomic, writeFolderAtomic } from '../files/atomic-write.ts';
import { type FileSum, type FileSums, fileFault, sumFiles } from './file-sums.ts';

const MANIFEST = 'checkpoint.json';

export interface Checkpoint {
  /** Optimizer steps completed when it was written. */
  step: number;
  path: string;
}

interface Manifest {
  step: number;
  /** Every file of the checkpoint except this one. */
  files: FileSums;
}

/** The checkpoints in a folder. */
export interface FoundCheckpoints {
  /** The newest one with all files as they were written; null: there is none. */
  newest: Checkpoint | null;
  /** Newer ones that are damaged, newest first. */
  damaged: (Checkpoint & { fault: string })[];
}

/**
 * Writes `step-N` to a run's folder of checkpoints, whole or not at all, and then removes the
 * oldest checkpoints beyond `keep`.
 *
 * @param fill writes the checkpoint's files to the given folder
 * @param keep number of newest checkpoints to keep; null keeps all
 * @throws FileError if the file system refuses; earlier checkpoints then stay as they were
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
    const manifest: Manifest = { step, files: await sumFiles(aside) };
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

/**
 * Every `step-N` of a folder, damaged or not, oldest first.
 * @throws FileError if the folder cannot be read
 */
export async function listCheckpoints(folder: string): Promise<Checkpoint[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw fileError(error, { path: folder, use: 'read' });
  });
  return names
    .map((name) => ({ match: /^step-(\d+)$/.exec(name), path: join(folder, name) }))
    .filter(({ match }) => match !== null)
    .map(({ match, path }) => ({ step: Number(match![1]), path }))
    .sort((a, b) => a.step - b.step);
}

/** Checks checkpoints from the newest to the oldest, until one is undamaged. */
export async function findCheckpoints(folder: string): Promise<FoundCheckpoints> {
  const damaged: FoundCheckpoints['damaged'] = [];
  for (const checkpoint of (await listCheckpoints(folder)).reverse()) {
    const fault = checkpointFault(checkpoint);
    if (fault === null) return { newest: checkpoint, damaged };
    damaged.push({ ...checkpoint, fault });
  }
  return { newest: null, damaged };
}

/** The newest undamaged checkpoint, or null if there is none. */
export async function latestCheckpoint(folder: string): Promise<Checkpoint | null> {
  return (await findCheckpoints(folder)).newest;
}

/** The fault of a checkpoint, in a sentence that names the file, or null. */
export function checkpointFault({ path, step }: Checkpoint): string | null {
  const place = join(path, MANIFEST);
  const manifest = readManifest(place, step);
  if (typeof manifest === 'string') return `${place} ${manifest}`;
  for (const [name, sum] of Object.entries(manifest.files)) {
    const fault = fileFault(join(path, name), sum);
    if (fault !== null) return `${join(path, name)} ${fault}`;
  }
  return null;
}

function readManifest(path: string, step: number): Manifest | string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const known = fileError(error, { path, use: 'read' });
    if (!(known instanceof FileError)) throw error;
    return known.code === 'ENOENT' ? 'is missing' : `cannot be read: ${known.reason}`;
  }
  try {
    const manifest = JSON.parse(text) as Partial<Manifest> | null;
    if (manifest?.step === step && isSums(manifest.files)) return manifest as Manifest;
  } catch {}
  return 'is damaged';
}

const isSums = (files: unknown): files is FileSums =>
  typeof files === 'object' &&
  files !== null &&
  Object.values(files as Record<string, Partial<FileSum> | null>).every(
    (sum) => typeof sum?.bytes === 'number' && typeof sum.sha256 === 'string',
  );
