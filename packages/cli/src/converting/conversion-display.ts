import { counted } from '@keel/align/checking';
import type { ConversionSummary, SplitSummary } from '@keel/align/converting';
import { drawBar, formatCount } from '@keel/align/internal';
import { complain, say, sayJson } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { terminalBar } from '../training/terminal-bar.ts';

interface Hooks {
  onProgress(done: number, total: number): void;
  signal: AbortSignal;
}

/**
 * Runs work on rows with a progress bar on a terminal. Ctrl-C stops it; nothing is written then.
 * @returns the exit code
 */
export async function runOnRows<Result>(
  work: (hooks: Hooks) => Promise<Result>,
  show: (result: Result) => void,
): Promise<number> {
  using stopping = new StopSignals((name) => complain(`${name}: stopped. Nothing was written`));
  let [done, total] = [0, 0];
  const bar = terminalBar(process.stderr, (columns, share) => {
    const counts = `${formatCount(Math.floor(done))}/${formatCount(total)} rows`;
    return `${drawBar(share, Math.max(8, Math.min(30, columns - counts.length - 2)))}  ${counts}`;
  });
  const onProgress = (now: number, of: number): void => {
    [done, total] = [now, of];
    if (bar === null) return;
    if (!bar.isActive) bar.start(of, now);
    else bar.update(now);
  };
  try {
    const result = await work({ onProgress, signal: stopping.signal });
    bar?.stop();
    show(result);
    return stopping.exitCode;
  } catch (error) {
    bar?.stop();
    if (stopping.signal.aborted && error === stopping.signal.reason) return stopping.exitCode;
    throw error;
  }
}

const rowsOf = (count: number): string => (count === 1 ? '1 row' : `${count} rows`);

/** @param detected whether to say what the rows were read as */
export function showConversion(
  summary: ConversionSummary,
  { json, detected }: { json: boolean; detected: boolean },
): void {
  if (json) {
    sayJson(summary);
    return;
  }
  const { format, reason, output, read, written, plain, skipped, dropped } = summary;
  if (detected) say(`read as ${format}: ${reason}`);
  showBadRows(summary);
  for (const [why, count] of Object.entries(skipped)) say(`${rowsOf(count)} skipped: ${why}`);
  const reasons = Map.groupBy(dropped, ({ rows, why }) => `(${rowsOf(rows)}): ${why}`);
  for (const [why, columns] of reasons) {
    say(`not written: ${columns.map(({ column }) => column).join(', ')} ${why}`);
  }
  say(`${rowsOf(read)} read, ${rowsOf(written)} written to ${output}`);
  if (plain > 0) {
    say(`${rowsOf(plain)} of plain text. To train a chat model on them, pass --wrap-chat there`);
  }
}

export function showSplit(summary: SplitSummary, by: 'prompt' | 'row', json: boolean): void {
  if (json) {
    sayJson(summary);
    return;
  }
  showBadRows(summary);
  for (const { name, path, rows, prompts } of summary.parts) {
    const of = by === 'prompt' ? `, ${counted(prompts, 'prompt')}` : '';
    say(`${name}: ${rowsOf(rows)}${of} in ${path}`);
  }
}

function showBadRows({
  badRows,
  firstBadRow,
}: Pick<ConversionSummary, 'badRows' | 'firstBadRow'>): void {
  if (badRows === 0) return;
  const rows = badRows === 1 ? '1 bad row is' : `${badRows} bad rows are`;
  say(`${rows} skipped. First fault: ${firstBadRow}`);
}
