import { createHash, randomBytes } from 'node:crypto';

let last = { time: 0, count: 0 };

/** Random bytes are made for many ids at a time: a call takes longer than an id. */
const BYTES = 6;
let pool = Buffer.alloc(0);
let used = 0;

function randomText(): string {
  if (used === pool.length) [pool, used] = [randomBytes(500 * BYTES), 0];
  used += BYTES;
  return pool.toString('hex', used - BYTES, used);
}

/** A unique text. Those of one process sort in the order in which they were made. */
export function newId(): string {
  const time = Math.max(Date.now(), last.time);
  last = { time, count: time === last.time ? last.count + 1 : 0 };
  const count = last.count.toString(36).padStart(5, '0');
  return `${time.toString(36).padStart(9, '0')}${count}${randomText()}`;
}

/** A hash of texts in their order. */
export function keyOf(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest('base64url').slice(0, 32);
}
