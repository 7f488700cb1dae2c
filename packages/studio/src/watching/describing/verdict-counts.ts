// How far a judge is, from the verdicts that it has saved: a line each, also while it works.
import { judgingSettingsFile } from '@keel/evaluate/results';
import type { FoundRun } from '../folders/find-runs.ts';
import { appendedLines } from '../numbers/appended-lines.ts';
import type { RunFiles } from './run-files.ts';

interface Counted {
  cursor: string | null;
  keys: Set<string>;
}

/** What a resumed judge asks again has the same key. The key is the last part of a line. */
const KEY = /"key":"([^"\\]+)"\}$/;

/** Of a judge that has not finished, by the paths of its files. */
export class VerdictCounts {
  readonly #files: RunFiles;
  readonly #known = new Map<string, Map<string, Counted>>();

  constructor(files: RunFiles) {
    this.#files = files;
  }

  /**
   * Verdicts so far, and how many there will be.
   * @param finished whether all are there
   * @returns null for another kind of run, and one whose judging.json does not tell
   */
  of(run: FoundRun, finished: boolean): { done: number; total: number } | null {
    if (run.kind !== 'judging') return null;
    const { found } = this.#files.checked(run.path, 'judging.json', judgingSettingsFile);
    const total = found?.rows;
    if (total === undefined) return null;
    if (finished) {
      this.#known.delete(run.path);
      return { done: total, total };
    }
    const name = found!.mode === 'rating' ? 'ratings.jsonl' : 'verdicts.jsonl';
    // Those of an earlier call that finished, and the new ones.
    const files = [name, `${name}.partial`].map((one) => this.#read(run, one));
    const keys = new Set(files.flatMap((one) => [...one]));
    return { done: Math.min(keys.size, total), total };
  }

  /** Forgets runs that are gone. */
  keep(paths: ReadonlySet<string>): void {
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path);
  }

  /** The keys in a file, of which only what was appended is read. */
  #read(run: FoundRun, name: string): Set<string> {
    const own = this.#known.get(run.path) ?? new Map<string, Counted>();
    this.#known.set(run.path, own);
    const path = this.#files.root.within(run.path, name);
    if (path === null) {
      own.delete(name);
      return new Set();
    }
    const counted = own.get(name) ?? { cursor: null, keys: new Set<string>() };
    own.set(name, counted);
    for (let more = true; more; ) {
      const read = appendedLines(path, counted.cursor);
      if (read.restarted) counted.keys.clear();
      for (const { text } of read.lines) {
        const key = KEY.exec(text.trimEnd())?.[1];
        if (key !== undefined) counted.keys.add(key);
      }
      // A line that is longer than what is read at once is never whole.
      more = read.more && read.cursor !== counted.cursor;
      counted.cursor = read.cursor;
    }
    return counted.keys;
  }
}
