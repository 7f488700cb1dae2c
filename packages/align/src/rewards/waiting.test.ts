import { expect, test, vi } from 'vitest';
import { whileWaiting } from './waiting.ts';

test('waiting is reported every second, from the second one on', async () => {
  vi.useFakeTimers();
  try {
    const { promise, resolve } = Promise.withResolvers<string>();
    const reported: number[] = [];
    const found = whileWaiting(promise, (seconds) => reported.push(seconds));
    vi.advanceTimersByTime(1999);
    expect(reported).toEqual([]);
    vi.advanceTimersByTime(2501);
    expect(reported).toEqual([2, 3, 4]);
    resolve('done');
    expect(await found).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
    const failed = whileWaiting(Promise.reject(new Error('no')), (seconds) =>
      reported.push(seconds),
    );
    await expect(failed).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
