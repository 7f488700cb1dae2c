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
  /** Why the file cannot be read; null: it can, or there is none. */
  failed: string | null;
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
    return rowOf(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The numbers of a row; null without a step. */
export function rowOf(parsed: unknown): MetricsRow | null {
  if (!isPlainObject(parsed)) return null;
  const row: MetricsRow = { step: Number.NaN };
  for (const name in parsed) {
    const value = parsed[name];
    if (typeof value === 'number') row[name] = value;
    else if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') {
      row[name] = Number(value);
    }
  }
  return Number.isFinite(row.step) ? row : null;
}
