// Writes pairs as single answers labelled true or false, for objectives that train on those.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { exactJson } from '@keel/model/exact-json';
import { answerLabels } from '../data/label-probability.ts';
import { asRead } from '../data/messages.ts';
import type { RowSource } from '../data/open-rows.ts';
import { renderingColumns } from '../data/rendering.ts';
import { OrderedSampler } from '../data/shuffle.ts';
import { writeFully } from '../files/append-whole.ts';
import { fillFileAtomic } from '../files/atomic-write.ts';

/** Pairs read and written at a time. */
const CHUNK = 256;

export interface UnpairedOrder {
  seed: number;
  shuffle: boolean;
  /** Pairs that the run will use. */
  pairs: number;
}

/**
 * Writes pairs in the order in which a run on pairs uses them, alternating chosen and rejected.
 * Read unshuffled, with twice the batch size, they give the same rows in the same steps. A few
 * spare rows follow, to replace those that turn out too long.
 */
export async function writeUnpaired(
  path: string,
  rows: RowSource<'preference'>,
  { seed, shuffle, pairs }: UnpairedOrder,
): Promise<void> {
  const sampler = new OrderedSampler({ length: rows.length, seed, shuffle });
  const spare = Math.ceil(pairs / 4) + 16;
  await write(path, rows, sampler.take(pairs + spare));
}

/** Writes every pair once, in the files' order. */
export const writeUnpairedOnce = (path: string, rows: RowSource<'preference'>): Promise<void> =>
  write(
    path,
    rows,
    Array.from({ length: rows.length }, (_, row) => row),
  );

async function write(
  path: string,
  rows: RowSource<'preference'>,
  order: readonly number[],
): Promise<void> {
  // Collect the text first: the file is filled synchronously, so no rows can be read meanwhile.
  const pieces: string[] = [];
  for (let start = 0; start < order.length; start += CHUNK) {
    const found = await rows.readMany(order.slice(start, start + CHUNK));
    pieces.push(
      found
        .map(({ prompt, chosen, rejected, rendering, label_probability: probability }) => {
          const [better, worse] = answerLabels(probability);
          const asked = { prompt: asRead(prompt), ...renderingColumns(rendering) };
          return [
            { ...asked, completion: asRead(chosen), ...better },
            { ...asked, completion: asRead(rejected), ...worse },
          ]
            .map((row) => `${exactJson(row)}\n`)
            .join('');
        })
        .join(''),
    );
  }
  mkdirSync(dirname(path), { recursive: true });
  fillFileAtomic(path, (descriptor) => {
    for (const piece of pieces) writeFully(descriptor, piece);
  });
}
