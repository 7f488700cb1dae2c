import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { fileError } from '@keel/model';
import { appendToDescriptor } from '../files/append-whole.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';

/** Numbers of one optimizer step by name. `step` counts from 1; before training it is 0. */
export interface MetricsRow {
  step: number;
  [name: string]: number;
}

/**
 * A run's metrics.jsonl: one line per row, append-only. JSON has no NaN, so it is written as "NaN".
 */
export class MetricsLog implements Disposable {
  readonly path: string;
  readonly #descriptor: number;

  private constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, 'a');
    } catch (error) {
      throw fileError(error, { path, use: 'written' });
    }
  }

  /**
   * @param resumeFrom step of the checkpoint that the run resumes from: rows after it, and an
   *   incomplete last line, are removed. null starts an empty file.
   * @throws Error naming the line if a line before the last is not a row
   */
  static open(path: string, resumeFrom: number | null = null): MetricsLog {
    const kept = resumeFrom === null ? [] : MetricsLog.read(path);
    const text = kept
      .filter(({ step }) => step <= (resumeFrom ?? -1))
      .map(line)
      .join('');
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileAtomic(path, text);
    return new MetricsLog(path);
  }

  /**
   * Rows of a metrics.jsonl, oldest first; none if there is no file. An incomplete last line is
   * dropped.
   */
  static read(path: string): MetricsRow[] {
    if (!existsSync(path)) return [];
    const lines = readText(path).split('\n');
    // After the last newline there is nothing, or the line of a writer that was killed.
    lines.pop();
    return lines.flatMap((text, index) => {
      const row = parseRow(text);
      if (row) return [row];
      if (index === lines.length - 1) return [];
      throw new Error(
        `${path}:${index + 1}: expected a JSON object with a number "step". The file is damaged: remove the line, or restore the file from a copy`,
      );
    });
  }

  /** Adds one line. @throws FileError if the file system refuses; the file is then unchanged */
  append(row: MetricsRow): void {
    appendToDescriptor(this.#descriptor, this.path, line(row));
  }

  /** Makes all lines so far survive a power cut. Call it before writing a checkpoint. */
  sync(): void {
    try {
      fsyncSync(this.#descriptor);
    } catch (error) {
      throw fileError(error, { path: this.path, use: 'written' });
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, { path, use: 'read' });
  }
}

function line(row: MetricsRow): string {
  const encode = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  return `${JSON.stringify(row, encode)}\n`;
}

function parseRow(text: string): MetricsRow | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const row = Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [name, decode(value)]),
  ) as MetricsRow;
  return typeof row.step === 'number' ? row : null;
}

function decode(value: unknown): unknown {
  const isNumber = value === 'NaN' || value === 'Infinity' || value === '-Infinity';
  return isNumber ? Number(value) : value;
}
