// The application's own table: which of two answers a person preferred.
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** A row as @keel/align reads it: a chat, and the two answers to it. */
export interface Pair {
  prompt: { role: string; content: string }[];
  chosen: { role: string; content: string }[];
  rejected: { role: string; content: string }[];
}

type Stored = Record<'question' | 'answer_a' | 'answer_b' | 'preferred', string>;

/** Opens the database, with the table if it is new. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(`CREATE TABLE IF NOT EXISTS comparisons (
    id INTEGER PRIMARY KEY,
    question TEXT NOT NULL,
    answer_a TEXT NOT NULL,
    answer_b TEXT NOT NULL,
    preferred TEXT NOT NULL CHECK (preferred IN ('a', 'b')),
    held_out INTEGER NOT NULL DEFAULT 0
  )`);
  return database;
}

/** Reads one row at a time, so that the table may be large. */
export function* pairs(database: DatabaseSync, split: 'train' | 'held-out'): Generator<Pair> {
  const rows = database
    .prepare('SELECT * FROM comparisons WHERE held_out = ? ORDER BY id')
    .iterate(split === 'train' ? 0 : 1);
  for (const row of rows) {
    const { question, answer_a: a, answer_b: b, preferred } = row as Stored;
    const [better, worse] = preferred === 'a' ? [a, b] : [b, a];
    yield {
      prompt: [{ role: 'user', content: question }],
      chosen: [{ role: 'assistant', content: better }],
      rejected: [{ role: 'assistant', content: worse }],
    };
  }
}

/** Fills the table from a file of pairs, with the preferred answer in changing places. */
export function addPairs(database: DatabaseSync, file: string, heldOut: boolean): void {
  const insert = database.prepare(
    'INSERT INTO comparisons (question, answer_a, answer_b, preferred, held_out) VALUES (?, ?, ?, ?, ?)',
  );
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  for (const [index, line] of lines.entries()) {
    const { prompt, chosen, rejected } = JSON.parse(line) as Pair;
    const [better, worse] = [chosen[0]!.content, rejected[0]!.content];
    const [a, b, preferred] = index % 2 === 0 ? [better, worse, 'a'] : [worse, better, 'b'];
    insert.run(prompt[0]!.content, a, b, preferred, Number(heldOut));
  }
}
