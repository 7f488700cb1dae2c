// Asks a judge about one thing after the other, except where an earlier call has a final row.
import { createHash } from 'node:crypto';
import { questionKey } from '@keel/align/internal';
import {
  type Judge,
  type JudgedAnswer,
  type JudgedPair,
  type JudgeUsage,
  noUsage,
  totalUsage,
} from '@keel/align/judges';
import type { AskedRow } from '../verdicts/asked-row.ts';
import { eachInTurn } from './each-in-turn.ts';

/** How far a judge is. */
export interface AskingProgress {
  done: number;
  total: number;
  failed: number;
  /** What this call has cost so far, without verdicts that were there before. */
  usage: JudgeUsage;
}

export interface AskingHooks {
  signal?: AbortSignal | undefined;
  onProgress?(progress: AskingProgress): void;
}

export interface ResumingOptions<Row> {
  /** Whether to ask again wherever an earlier call got no verdict (default: false). */
  retryFailed?: boolean;
  /** Rows of earlier calls, by their key. */
  saved: ReadonlyMap<string, Row>;
  /** Receives each new row as soon as it is there. */
  save(row: Row): void;
}

interface Asking<Item, Row extends AskedRow> {
  keyOf(item: Item): string;
  /** The parts of a row that do not depend on the judge's words. */
  described(item: Item): Partial<Row>;
  /** The other parts, and what they cost. */
  ask(item: Item): Promise<{ said: object; usage: JudgeUsage }>;
  concurrency: number;
}

/** Hash of all that a row depends on: the judge, what it is asked about, and other settings. */
export function rowKey(
  { identity }: Pick<Judge, 'identity'>,
  asked: JudgedPair | JudgedAnswer,
  ...settings: readonly unknown[]
): string {
  const all = JSON.stringify([identity, questionKey(asked), ...settings]);
  return createHash('sha256').update(all).digest('hex');
}

/** Whether an earlier call's row is not asked for again. */
export const isFinal = (row: AskedRow | undefined, retryFailed = false): boolean =>
  row !== undefined && row.transient !== true && !(retryFailed && row.failed !== null);

/**
 * @returns the rows in the order of the items; null if it was interrupted
 * @throws what `ask` throws; rows until then are saved
 */
export async function askEach<Item, Row extends AskedRow>(
  items: readonly Item[],
  { keyOf, described, ask, concurrency }: Asking<Item, Row>,
  { retryFailed, saved, save }: ResumingOptions<Row>,
  { signal, onProgress }: AskingHooks,
): Promise<Row[] | null> {
  const rows = new Array<Row>(items.length);
  const left: { item: Item; key: string; index: number }[] = [];
  let [done, failed, usage] = [0, 0, noUsage];
  const report = (): void => onProgress?.({ done, total: items.length, failed, usage });
  const take = (index: number, row: Row): void => {
    rows[index] = row;
    done += 1;
    if (row.failed !== null) failed += 1;
  };
  for (const [index, item] of items.entries()) {
    const key = keyOf(item);
    const known = saved.get(key);
    if (isFinal(known, retryFailed)) take(index, { ...known!, ...described(item), key });
    else left.push({ item, key, index });
  }
  report();
  const complete = await eachInTurn(left, concurrency, signal, async ({ item, key, index }) => {
    const { said, usage: used } = await ask(item);
    const row = { ...described(item), ...said, key } as Row;
    usage = totalUsage([usage, used]);
    save(row);
    take(index, row);
    report();
  });
  return complete ? rows : null;
}
