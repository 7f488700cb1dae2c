// Reads rows once and describes them.
import { setImmediate } from 'node:timers/promises';
import type { PairLengths } from '@keel/statistics';
import type { Place } from '../data/data-error.ts';
import type { Row } from '../data/rows.ts';
import { type DuplicateFacts, DuplicateFinder, type OverlapFacts } from './duplicates.ts';
import { type PairFacts, pairFacts, pairsOf } from './pair-lengths.ts';
import { RowCounter, type RowFacts } from './row-facts.ts';
import { viewOf } from './row-view.ts';

/** Rows in a fixed order; `RowSource` and all `DataRows` are such. */
export interface WalkedRows {
  readonly length: number;
  iterate(): AsyncIterable<Row>;
  /** File and line (or row) of a row, by its index from 0. */
  place(index: number): Place;
}

export interface ExamineOptions {
  /** Whether near duplicates within the training rows are looked for (default: true). */
  near?: boolean;
  /** Only the first rows are read, of the training and of the held-out rows each. */
  limit?: number;
  /** Called repeatedly with the number of rows read. */
  onProgress?(done: number): void;
  /** Ends the reading early: the rows so far are described. */
  signal?: AbortSignal | undefined;
}

export interface RowFindings {
  training: ExaminedFacts;
  /** null without held-out rows. */
  heldOut: ExaminedFacts | null;
  duplicates: DuplicateFacts;
  /** Of the training rows, with lengths in characters; null without pairs. */
  pairs: PairFacts | null;
  /** null without held-out rows. */
  overlap: OverlapFacts | null;
}

/** Facts about the rows that were read: `count` of `total`. */
export type ExaminedFacts = RowFacts & { total: number };

/** Rows to read before other work, such as signals, gets a turn. */
const PAUSE = 500;

/**
 * Reads the training rows and the held-out rows once, in order. Memory grows by about 1 KB per
 * training row, because no text is stored.
 */
export async function examineRows(
  training: WalkedRows,
  heldOut: WalkedRows | null,
  options: ExamineOptions = {},
): Promise<RowFindings> {
  const { near = true } = options;
  const finder = new DuplicateFinder({ near, overlap: heldOut !== null });
  const trained = await walk(training, (view, row) => finder.add(view, row), options);
  const overlap = heldOut === null ? null : finder.heldOut();
  const held = heldOut && (await walk(heldOut, (view, row) => overlap!.add(view, row), options));
  const trainingPlace = (row: number): Place => training.place(row);
  return {
    training: trained.facts,
    heldOut: held?.facts ?? null,
    duplicates: finder.facts(trainingPlace),
    pairs: pairFacts(trained.pairs, held?.pairs ?? [], 'characters'),
    overlap: overlap?.facts((row) => heldOut!.place(row), trainingPlace) ?? null,
  };
}

async function walk(
  rows: WalkedRows,
  visit: (view: ReturnType<typeof viewOf>, row: number) => void,
  { limit = Number.POSITIVE_INFINITY, onProgress, signal }: ExamineOptions,
): Promise<{ facts: ExaminedFacts; pairs: PairLengths[] }> {
  const counter = new RowCounter();
  const pairs: PairLengths[] = [];
  let index = 0;
  for await (const row of rows.iterate()) {
    if (index >= limit || signal?.aborted) break;
    const view = viewOf(row);
    counter.add(row, view);
    pairs.push(
      ...pairsOf(
        view.answers.map(({ length }) => length),
        view.kind === 'unpaired' ? null : view.ranks,
      ),
    );
    visit(view, index);
    index++;
    if (index % PAUSE > 0) continue;
    onProgress?.(index);
    await setImmediate();
  }
  return { facts: { ...counter.facts(), total: rows.length }, pairs };
}
