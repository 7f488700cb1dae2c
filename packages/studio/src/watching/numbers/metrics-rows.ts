// Rows of metrics.jsonl, read while the run writes them.
import type { MetricsRow } from '@keel/align/runs';
import { isPlainObject } from '@keel/model/exact-json';
import { appendedLines } from './appended-lines.ts';

/** Rows that were added to a run's metrics. */
export interface AppendedRows {
  rows: MetricsRow[];
  /** For the next call. */
  cursor: string;
  /** Rows of earlier calls are no longer valid: the run was resumed from an earlier step. */
  restarted: boolean;
  /** There are more rows than one call reads. */
  more: boolean;
  /** Damaged lines, a sentence each. */
  faults: string[];
}

/** Rows after a cursor; null: all rows. */
export function appendedRows(path: string, cursor: string | null): AppendedRows {
  const { lines, ...read } = appendedLines(path, cursor);
  const rows: MetricsRow[] = [];
  const faults: string[] = [];
  for (const { text, line } of lines) {
    const row = parsedRow(text);
    if (row !== null) rows.push(row);
    else faults.push(`metrics.jsonl:${line}: is not a row with a number "step"; it is skipped`);
  }
  return { ...read, rows, faults };
}

/**
 * A line of metrics.jsonl; null if it is none. JSON has no NaN and no infinities: Keel writes them
 * as strings.
 */
export function parsedRow(text: string): MetricsRow | null {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isPlainObject(parsed)) return null;
    const numbers = Object.entries(parsed).flatMap(([name, value]): [string, number][] => {
      const number = /^(NaN|-?Infinity)$/.test(String(value)) ? Number(value) : value;
      return typeof number === 'number' ? [[name, number]] : [];
    });
    const row = Object.fromEntries(numbers) as MetricsRow;
    return Number.isFinite(row.step) ? row : null;
  } catch {
    return null;
  }
}
