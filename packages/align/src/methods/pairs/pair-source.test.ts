import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../data/data-error.ts';
import type { PreferenceRow } from '../../data/rows.ts';
import { rowsOf, tinyChatTokenizer, tinyRows } from '../../testing/tiny-chat-model.ts';
import { PairSource } from './pair-source.ts';

const tokenizer = tinyChatTokenizer();
const plain = { seed: 1, shuffle: false, maxLength: null };
const source = (rows: readonly PreferenceRow[], options = {}): PairSource =>
  new PairSource(rowsOf(rows), tokenizer, { ...plain, ...options });
/** A chat that the user continues. */
const begun = [
  { role: 'user', content: 'a' },
  { role: 'assistant', content: 'well' },
];
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

  it('shuffles every epoch differently, and resumes from a saved state', async () => {
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

  it('skips and records rows whose prompt fills the maximum length', async () => {
    const rows = tinyRows(6);
    const [one, four] = [rows[1]!, rows[4]!];
    one.prompt = 'hello '.repeat(200);
    four.prompt = [{ role: 'user', content: 'hello '.repeat(200) }];
    const from = source(rows, { maxLength: 200 });
    expect(await places(from, 6)).toEqual([0, 2, 3, 5, 0, 2]);
    expect([...from.tooLong]).toEqual([1, 4]);
    expect(from.truncated.size).toBe(0);
  });

  it('records rows with a truncated answer', async () => {
    const rows = tinyRows(3);
    rows[1] = { prompt: 'hello', chosen: 'wo '.repeat(300), rejected: 'day', extra: {} };
    const from = source(rows, { maxLength: 200 });
    await from.next(3);
    expect([...from.truncated]).toEqual([1]);
  });

  it('reports, with the option, that no row fits or that there is none', async () => {
    const held = { option: '--eval-data' };
    await expect(source(tinyRows(3), { maxLength: 1 }).next(1)).rejects.toThrow(
      /^--data: every prompt is longer than --max-length 1 .*nothing is left to train on$/,
    );
    await expect(source(tinyRows(3), { ...held, maxLength: 1 }).next(1)).rejects.toThrow(
      /^--eval-data: every prompt is longer .*nothing is left to evaluate on$/,
    );
    expect(() => source([])).toThrow('--data: there are no rows to train on');
    expect(() => source([], held)).toThrow('--eval-data: there are no rows to evaluate on');
  });

  describe('a row with nothing to score, or longer than the model takes', () => {
    const bad: [string, PreferenceRow, object, RegExp][] = [
      [
        'one token without a prompt',
        { prompt: '', chosen: 'hello', rejected: '<|end|>', extra: {} },
        {},
        /^rows, row 2: field "rejected": expected .*token to score, found 1 tokens/,
      ],
      [
        'an answer by the user only',
        {
          prompt: begun,
          chosen: [{ role: 'user', content: 'b' }],
          rejected: [
            { role: 'user', content: 'b' },
            { role: 'assistant', content: 'c' },
          ],
          extra: {},
        },
        {},
        /^rows, row 2: field "chosen"/,
      ],
      [
        'too long for the model',
        { prompt: 'hello', chosen: 'wo '.repeat(300), rejected: 'day', extra: {} },
        { positions: 250 },
        /^rows, row 2: expected at most the 250 tokens that the model takes, found \d+ .*--max-length 250/,
      ],
    ];
    it.each(bad)('is reported with its place, or skipped: %s', async (_, row, options, message) => {
      const [first, , third] = tinyRows(3);
      const rows = [first!, row, third!];
      const error = await source(rows, options)
        .next(3)
        .catch((thrown) => thrown);
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toMatch(message);
      const skipping = { ...options, onBadRow: 'skip' };
      const from = source(rows, skipping);
      expect(await places(from, 3)).toEqual([0, 2, 0]);
      expect([...from.badRows]).toEqual([[1, expect.stringMatching(message)]]);
      expect([from.usable, from.leftOut]).toEqual([2, 1]);
      await expect(source([row], skipping).next(1)).rejects.toThrow(
        /^--data: none of the 1 rows .*: rows, row 1/,
      );
    });
  });

  it("skips a row if truncation leaves none of the assistant's tokens", async () => {
    const user = { role: 'user', content: 'wo '.repeat(100) };
    const rows = tinyRows(2);
    rows[0] = {
      prompt: begun,
      chosen: [user, { role: 'assistant', content: 'day' }],
      rejected: [user, { role: 'assistant', content: 'x' }],
      extra: {},
    };
    const from = source(rows, { maxLength: 100 });
    expect(await places(from, 1)).toEqual([1]);
    expect([...from.tooLong]).toEqual([0]);
  });

  it('gives the same rows, errors and state with a thread that tokenises ahead', async () => {
    const rows = tinyRows(9);
    rows[4] = { prompt: 'hello '.repeat(200), chosen: 'a', rejected: 'b', extra: {} };
    const options = { shuffle: true, maxLength: 200 };
    const plain = source(rows, options);
    using ahead = source(rows, { ...options, tokenising: { worth: 0, threads: 1 } });
    ahead.expect(1e9);
    for (let after = 0; after < 12; after += Number(ahead.isAhead)) {
      expect(await ahead.next(4)).toEqual(await plain.next(4));
      expect(ahead.state()).toEqual(plain.state());
      await setImmediate();
    }
    expect([...ahead.tooLong]).toEqual([4]);
    const state = plain.state();
    for (const one of [plain, ahead]) {
      await one.next(3);
      one.restore(state);
    }
    expect(await ahead.next(7)).toEqual(await plain.next(7));
    rows[2] = { prompt: 'well', chosen: begun, rejected: begun, extra: {} } as never;
    expect(await messageOf(ahead)).toBe(await messageOf(plain));
  });
});

/** The error message of the first row that fails. */
async function messageOf(from: PairSource): Promise<string> {
  for (;;) {
    try {
      await from.next(4);
    } catch (error) {
      return (error as Error).message;
    }
  }
}
