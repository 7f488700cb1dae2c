import { describe, expect, it } from 'vitest';
import type { PreferenceRow } from '../data/rows.ts';
import { rowsOf, tinyChatTokenizer, tinyRows } from './fixtures/tiny-chat-model.ts';
import { PairSource } from './pair-source.ts';

const tokenizer = tinyChatTokenizer();
const plain = { seed: 1, shuffle: false, maxLength: null };
const source = (rows: readonly PreferenceRow[], options = {}): PairSource =>
  new PairSource(rowsOf(rows), tokenizer, { ...plain, ...options });
const places = async (from: PairSource, count: number): Promise<number[]> =>
  (await from.next(count)).map(({ row }) => row);

describe('PairSource', () => {
  it('goes through the rows epoch after epoch, and counts them', async () => {
    const from = source(tinyRows(5));
    expect(from.epoch).toBe(0);
    expect(await places(from, 4)).toEqual([0, 1, 2, 3]);
    expect(from.epoch).toBeCloseTo(0.8);
    expect(await places(from, 1)).toEqual([4]);
    expect(from.epoch).toBe(1);
    expect(await places(from, 7)).toEqual([0, 1, 2, 3, 4, 0, 1]);
    expect(from.epoch).toBeCloseTo(2.4);
  });

  it('shuffles every epoch anew, and goes on from a saved state', async () => {
    const from = source(tinyRows(9), { shuffle: true });
    const first = await places(from, 9);
    const middle = await places(from, 4);
    const state = from.state();
    const rest = await places(from, 20);
    expect([...first].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...middle, ...rest.slice(0, 5)]).not.toEqual(first);
    const again = source(tinyRows(9), { shuffle: true });
    again.restore(state);
    expect(await places(again, 20)).toEqual(rest);
  });

  it('passes over rows whose prompt fills the maximum length, and remembers them', async () => {
    const rows = tinyRows(6);
    const [one, four] = [rows[1]!, rows[4]!];
    one.prompt = 'hello '.repeat(200);
    four.prompt = [{ role: 'user', content: 'hello '.repeat(200) }];
    const from = source(rows, { maxLength: 200 });
    expect(await places(from, 6)).toEqual([0, 2, 3, 5, 0, 2]);
    expect([...from.tooLong]).toEqual([1, 4]);
    expect(from.truncated.size).toBe(0);
  });

  it('remembers rows of which an answer was cut', async () => {
    const rows = tinyRows(3);
    rows[1] = { prompt: 'hello', chosen: 'wo '.repeat(300), rejected: 'day', extra: {} };
    const from = source(rows, { maxLength: 200 });
    await from.next(3);
    expect([...from.truncated]).toEqual([1]);
  });

  it('says so when no row fits, and when there is none', async () => {
    await expect(source(tinyRows(3), { maxLength: 1 }).next(1)).rejects.toThrow(
      /every prompt is longer than --max-length 1/,
    );
    expect(() => source([])).toThrow(/no rows/);
  });
});
