// Judged rows for the tiny chat model.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JudgedRow } from '../data/rows.ts';
import { tinyRows } from './tiny-chat-model.ts';

/**
 * Reproducible rows: pairs (some with a margin), rankings of three with and without ties,
 * processes.
 */
export function tinyJudged(count: number, seed = 7): JudgedRow[] {
  return tinyRows(count, seed).map((pair, at): JudgedRow => {
    const { prompt, chosen, rejected } = pair;
    if (at % 4 === 2) {
      const third = typeof prompt === 'string' ? 'wo' : [{ role: 'assistant', content: 'wo' }];
      const ranks = at % 8 === 2 ? [2, 1, 3] : [1, 1, 2];
      return { prompt, completions: [chosen, rejected, third], ranks, extra: {} };
    }
    if (at % 4 === 3) {
      return {
        prompt,
        completions: ['hello', 'world day', 'x'],
        labels: [true, true, false],
        extra: {},
      };
    }
    return at % 4 === 1 ? { ...pair, margin: 0.5 } : pair;
  });
}

/** Writes rows as JSONL, like a user's. @returns the path */
export function writeJudged(folder: string, rows: readonly JudgedRow[]): string {
  const path = join(folder, 'judged.jsonl');
  const lines = rows.map(({ extra: _, ...row }) => {
    if (!('ranks' in row)) return row;
    const { ranks, ...others } = row;
    return { ...others, ranking: ranks };
  });
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}
