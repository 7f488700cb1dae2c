// Tokenises every row once, as training does before its first step.
import type { Tokenizer } from '@keel/model';
import type { PairLengths } from '@keel/statistics';
import { pairsOf } from '../checking/pair-lengths.ts';
import { LengthCounts, type Lengths } from '../checking/row-facts.ts';
import type { UsedRows } from '../checking/run-data-facts.ts';
import type { DataRows } from '../data/derived-rows.ts';
import type { RowKind } from '../data/rows.ts';
import { LengthReport } from '../training/lengths.ts';
import type { Notice } from '../training/run-data.ts';
import type { RowsView, SourceRules } from './views.ts';

export interface TokenFindings {
  lengths: Lengths;
  pairs: PairLengths[];
  use: UsedRows;
}

/** A row as every source returns it. */
interface PlacedRow {
  row: number;
}

/** Rows that are tokenised at a time. */
const CHUNK = 64;
/** Chunks in progress, so that threads have work. */
const AHEAD = 8;

/**
 * The lengths of all rows, also of those that are cut or skipped.
 * @param rules `onSkipped` receives the rows that training would refuse
 * @param hooks `notice` receives what training reports about rows that do not fit
 * @throws Error where no row can be tokenised, such as chats without a chat template
 */
export async function tokenPass(
  rows: DataRows<RowKind>,
  view: RowsView,
  tokenizer: Tokenizer,
  rules: SourceRules,
  { notice, onProgress, signal }: PassHooks,
): Promise<TokenFindings> {
  using source = view.source(rows, tokenizer, { ...rules, onBadRow: 'skip' });
  // For rows that are cut or skipped, the uncut lengths count.
  const whole = { ...rules, maxLength: null, positions: null, onBadRow: 'skip' as const };
  using uncut = view.source(rows, tokenizer, { ...whole, onSkipped() {} });
  const counts = new LengthCounts();
  const pairs: PairLengths[] = [];
  const take = (placed: readonly unknown[]): void => {
    for (const one of placed) {
      const { prompt, answers, ranks } = view.lengths(one);
      counts.add(prompt, answers);
      pairs.push(...pairsOf(answers, ranks));
    }
  };
  source.expect(rows.length);
  const coming: { indices: number[]; placed: Promise<PlacedRow[]> }[] = [];
  for (let sent = 0, done = 0; done < rows.length && !signal?.aborted; ) {
    while (sent < rows.length && coming.length < AHEAD) {
      const count = Math.min(CHUNK, rows.length - sent);
      const first = sent;
      const indices = Array.from({ length: count }, (_, index) => first + index);
      const placed = source.read(indices) as Promise<PlacedRow[]>;
      // Errors are thrown when the chunk is awaited, so that errors of earlier rows come first.
      placed.catch(() => {});
      coming.push({ indices, placed });
      sent += count;
    }
    const { indices, placed } = coming.shift()!;
    take((await placed).filter(({ row }) => !source.truncated.has(row)));
    const changed = indices.filter((row) => source.truncated.has(row) || source.tooLong.has(row));
    if (changed.length > 0) take(await uncut.read(changed));
    done += indices.length;
    onProgress?.(done, rows.length);
  }
  new LengthReport(source, notice).tell({ all: true });
  return {
    ...{ lengths: counts.lengths('tokens'), pairs },
    use: {
      cut: source.truncated.size,
      tooLong: source.tooLong.size,
      bad: source.badRows.size + rows.badRowCount,
    },
  };
}

export interface PassHooks {
  notice: Notice;
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}
