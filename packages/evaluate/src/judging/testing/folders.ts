import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is removed at the end of its scope. */
export class TestFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'keel-judging-'));

  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes rows as JSON Lines. @returns the path */
  rows(name: string, rows: readonly unknown[]): string {
    return this.text(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  text(name: string, text: string): string {
    writeFileSync(this.file(name), text);
    return this.file(name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
