// What a command computes row by row, in its output folder. Each row is appended as soon as it is
// there, so that the same command resumes after any end. The finished file is in order.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { appendWhole, exactJson, writeFileAtomic } from '@keel/align/internal';
import { parseExactJson } from '@keel/model/exact-json';

interface Line {
  /** Hash of all that the row depends on. */
  key: string;
}

export class KeyedFile<Row extends Line> {
  /** The finished file. */
  readonly path: string;
  readonly #partial: string;
  readonly #saved: Map<string, Row>;

  /**
   * @param name of the finished file in the folder
   * @param overwrite drops the rows that are there
   */
  constructor(folder: string, name: string, { overwrite }: { overwrite: boolean }) {
    this.path = join(folder, name);
    this.#partial = join(folder, `${name}.partial`);
    if (overwrite) {
      rmSync(this.path, { force: true });
      rmSync(this.#partial, { force: true });
    }
    this.#saved = new Map(
      [this.path, this.#partial].flatMap((path) =>
        linesOf<Row>(path).map((row): [string, Row] => [row.key, row]),
      ),
    );
  }

  /** Rows that are there already, by their key. */
  get saved(): ReadonlyMap<string, Row> {
    return this.#saved;
  }

  save(row: Row): void {
    appendWhole(this.#partial, `${exactJson(row)}\n`);
  }

  /** Writes the finished file. */
  finish(rows: readonly Row[]): void {
    writeFileAtomic(this.path, rows.map((row) => `${exactJson(row)}\n`).join(''));
    rmSync(this.#partial, { force: true });
  }
}

/** The whole lines of a file; a killed process may leave half a line at the end. */
function linesOf<Row extends Line>(path: string): Row[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    try {
      const row = parseExactJson(line) as Row;
      return typeof row.key === 'string' ? [row] : [];
    } catch {
      return [];
    }
  });
}
