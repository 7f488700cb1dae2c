/**
 * Works on items, a few at the same time. After an error or an abort no further item is started;
 * those in progress finish.
 * @returns whether all items are done
 * @throws the first error, unless it is the reason of the abort
 */
export async function eachInTurn<Item>(
  items: readonly Item[],
  concurrency: number,
  signal: AbortSignal | undefined,
  work: (item: Item) => Promise<void>,
): Promise<boolean> {
  let [next, finished] = [0, 0];
  const isAborted = (): boolean => signal?.aborted === true;
  let failure: { error: unknown } | null = null;
  const worker = async (): Promise<void> => {
    while (next < items.length && failure === null && !isAborted()) {
      const item = items[next++]!;
      try {
        await work(item);
        finished += 1;
      } catch (error) {
        if (isAborted()) return;
        failure ??= { error };
      }
      await breathe();
    }
  };
  const workers = Math.max(1, Math.min(concurrency, items.length));
  await Promise.all(Array.from({ length: workers }, worker));
  const failed = failure as { error: unknown } | null;
  if (failed !== null) throw failed.error;
  return finished === items.length;
}

/** Lets signals and timers run between two items of a judge that computes in this thread. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
