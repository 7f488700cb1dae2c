import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { pairTokenising, tokenisePair } from '../batching/tokenise-pair.ts';
import { tinyChatTokenizer, tinyRows } from '../testing/tiny-chat-model.ts';
import { RowTokeniser, type RowTokeniserOptions } from './row-tokeniser.ts';
import { TokenisingThread } from './tokenising-thread.ts';

const open: Disposable[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one[Symbol.dispose]();
});

const tokenizer = tinyChatTokenizer();
const options = { maxLength: 60 };
const rows = tinyRows(40);
const expected = rows.map((row) => ({ tokens: tokenisePair(row, tokenizer, options) }));

function tokeniserOf(settings: RowTokeniserOptions, own = tokenizer) {
  const tokeniser = new RowTokeniser(own, pairTokenising, options, settings);
  open.push(tokeniser);
  return tokeniser;
}

/** Tokenises until a thread is ready. */
async function untilAhead(tokeniser: ReturnType<typeof tokeniserOf>, row = rows[0]!) {
  tokeniser.expect(1e9);
  while (!tokeniser.isAhead) {
    await tokeniser.tokenise([row]);
    await setImmediate();
  }
}

describe('RowTokeniser', () => {
  it('returns the same results with and without threads, in the order of the rows', async () => {
    const tokeniser = tokeniserOf({ worth: 0, threads: 2 });
    expect(await tokeniser.tokenise(rows)).toEqual(expected);
    await untilAhead(tokeniser);
    const parts = [rows.slice(0, 7), rows.slice(7, 8), rows.slice(8)];
    const found = await Promise.all(parts.map((part) => tokeniser.tokenise(part)));
    expect(found.flat()).toEqual(expected);
  });

  it('starts no thread if less work is expected than threads are worth', async () => {
    const tokeniser = tokeniserOf({ worth: 3_600_000 });
    tokeniser.expect(1000);
    for (let i = 0; i < 50; i++) {
      expect(await tokeniser.tokenise(rows)).toEqual(expected);
      await setImmediate();
    }
    expect(tokeniser.isAhead).toBe(false);
    expect(tokeniser.lanes).toBe(1);
  });

  it('reports the error of a row as the main thread does', async () => {
    const bare = tinyChatTokenizer(null);
    const chat = rows.find(({ prompt }) => Array.isArray(prompt))!;
    const plain = rows.find(({ prompt }) => typeof prompt === 'string')!;
    const tokeniser = tokeniserOf({ worth: 0, threads: 1 }, bare);
    const here = await tokeniser.tokenise([plain, chat]);
    await untilAhead(tokeniser, plain);
    const there = await tokeniser.tokenise([plain, chat]);
    expect(there).toEqual(here);
    expect(here[1]).toEqual({
      error: expect.objectContaining({ message: expect.stringMatching(/no chat template/) }),
    });
    expect((there[1] as { error: unknown }).error).toBeInstanceOf(Error);
  });

  it('continues in the caller’s thread if threads end', async () => {
    const tokeniser = tokeniserOf({ worth: 0, threads: 1 });
    await untilAhead(tokeniser);
    const under = tokeniser.tokenise(rows);
    tokeniser[Symbol.dispose]();
    expect(await under).toEqual(expected);
    expect(await tokeniser.tokenise(rows)).toEqual(expected);
    expect(tokeniser.isAhead).toBe(false);
  });

  it('survives a thread that cannot start', async () => {
    const thread = new TokenisingThread({
      definition: '{"not":"a tokenizer"}',
      module: pairTokenising.module,
      name: pairTokenising.name,
      options,
    });
    open.push(thread);
    expect(await thread.tokenise(rows)).toBeNull();
    expect(thread.isReady).toBe(false);
  });
});
