// The facts about its rows that a run records in its folder.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic-write.ts';
import type { RowFindings } from './examine-rows.ts';
import type { DataWarning } from './warnings.ts';

/** Rows that a run uses in part or not at all, of those read so far. */
export interface UsedRows {
  /** Cut at the maximum length. */
  cut: number;
  /** Skipped because they do not fit within it. */
  tooLong: number;
  /** Skipped as bad rows (--on-bad-row skip). */
  bad: number;
}

export interface RunDataFacts extends RowFindings {
  use: { training: UsedRows; heldOut: UsedRows | null };
  warnings: DataWarning[];
}

/** The file's name in a run folder. */
const NAME = 'data.json';

/** Writes the facts to the run folder. @returns the file */
export function saveRunDataFacts(folder: string, facts: RunDataFacts): string {
  const path = join(folder, NAME);
  writeFileAtomic(path, `${JSON.stringify(facts, null, 2)}\n`);
  return path;
}

/**
 * What {@link saveRunDataFacts} wrote; null if it wrote nothing.
 * @throws Error naming the file if it is damaged
 */
export function readRunDataFacts(folder: string): RunDataFacts | null {
  const path = join(folder, NAME);
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunDataFacts;
  } catch (cause) {
    throw new Error(`${path} is not valid JSON. Remove it: resuming the run writes it again`, {
      cause,
    });
  }
}
