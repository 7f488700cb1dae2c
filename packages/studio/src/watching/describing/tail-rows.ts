// The last rows of a metrics.jsonl, for a list of many runs.
import { closeSync, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MetricsRow } from '@keel/align/runs';
import { signatureOf } from '../folders/read-files.ts';
import { bytesAt } from '../numbers/appended-lines.ts';
import { parsedRow } from '../numbers/metrics-rows.ts';

const BYTES = 64 * 1024;

/** Last rows by path, read again only if the file changed. */
export class TailRows {
  readonly #known = new Map<string, { signature: string; rows: MetricsRow[] }>();

  /** The whole rows in the last 64 KB of a file, oldest first. */
  read(path: string | null): readonly MetricsRow[] {
    const signature = path === null ? null : signatureOf(path);
    if (path === null || signature === null) return [];
    const known = this.#known.get(path);
    if (known?.signature === signature) return known.rows;
    const rows = lastRows(path);
    this.#known.set(path, { signature, rows });
    return rows;
  }

  /** Forgets files of other folders than these. */
  keep(folders: ReadonlySet<string>): void {
    for (const path of this.#known.keys())
      if (!folders.has(dirname(path))) this.#known.delete(path);
  }
}

/** None of a file that cannot be read: the run's page says why. */
function lastRows(path: string): MetricsRow[] {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(0, size - BYTES);
    const lines = bytesAt(descriptor, start, size - start)
      .toString('utf8')
      .split('\n');
    // After the last newline is nothing, or a row that is being written; before the first may be
    // the end of a row.
    lines.pop();
    if (start > 0) lines.shift();
    return lines.flatMap((line) => parsedRow(line) ?? []);
  } catch {
    return [];
  } finally {
    closeSync(descriptor);
  }
}
