// Preference rows of random words with prompts of about 160 tokens and answers of about 135, only
// for measuring speed.
import { readFileSync } from 'node:fs';

/**
 * A small random number generator (Numerical Recipes' LCG), so that the rows are the same
 * everywhere.
 */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Chat = { role: string; content: string }[];

export interface ChatPair {
  prompt: Chat;
  chosen: Chat;
  rejected: Chat;
}

/** Preference rows from a JSON Lines file; random ones without a path. */
export const pairsFrom = (path: string | undefined): ChatPair[] =>
  path === undefined
    ? randomPairs(64)
    : readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));

/** Rows as JSON Lines. */
export const jsonLines = (rows: readonly object[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Rows in the chat format, made from the words of the bundled data. */
export function randomPairs(count: number): ChatPair[] {
  const text = readFileSync(
    new URL('../examples/data/concise-train.jsonl', import.meta.url),
    'utf8',
  );
  const words = [...new Set(text.match(/\b[a-z]{3,}\b/g) ?? [])];
  const next = numbers(1);
  const say = (length: number): string =>
    Array.from({ length }, () => words[next(words.length)]).join(' ');
  return Array.from({ length: count }, () => ({
    prompt: [{ role: 'user', content: say(110) }],
    chosen: [{ role: 'assistant', content: say(115) }],
    rejected: [{ role: 'assistant', content: say(115) }],
  }));
}
