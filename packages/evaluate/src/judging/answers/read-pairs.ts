// Rows that have both answers: preference rows, whose chosen answer is compared with the rejected.
import type { DataError } from '@keel/align';
import { leftOutOfPrompt, openRows, type RowSource } from '@keel/align/data';
import { type ComparedPair, fieldsOfPair, type PairFields } from './compared-pair.ts';
import type { ReadingOptions } from './read-answers.ts';

/**
 * The pairs of preference rows: a is the rejected answer, b the chosen one.
 * @throws DataError for a file without rows, and for the first bad row unless bad rows are skipped
 */
export async function readPairs(
  files: readonly string[],
  { onBadRow = 'fail', onSkipped, columns, wrapChat }: ReadingOptions,
  fields: PairFields = {},
): Promise<ComparedPair[]> {
  const pairs: ComparedPair[] = [];
  await using rows: RowSource<'preference'> = await openRows(files, {
    kind: 'preference',
    refuse: leftOutOfPrompt,
    onBadRow,
    ...{ columns: columns ?? null, wrapChat: wrapChat ?? false },
    onSkipped: (fault: DataError) => onSkipped?.(fault),
  });
  for await (const { prompt, chosen, rejected, rendering, extra } of rows.iterate()) {
    const place = rows.place(pairs.length);
    pairs.push({
      ...fieldsOfPair(extra, place, fields),
      row: pairs.length,
      prompt,
      ...(rendering && { rendering }),
      extra,
      modelA: 'rejected',
      modelB: 'chosen',
      answers: [rejected, chosen],
    });
  }
  return pairs;
}
