import { ancestors, BatchBuilder } from '@keel/model';
import { expect, test } from 'vitest';
import { addShared } from './shared-prefixes.ts';

test('sequences are whole, and their common beginnings are in the batch once', () => {
  const sequences = [[1, 2, 3, 4], [1, 2, 3, 5, 6], [1, 2, 3], [9], [1, 2, 7], [1, 2, 3, 4]];
  const builder = new BatchBuilder();
  const ends = addShared(builder, sequences);
  const { tokens, positions, segments } = builder.build();
  expect([...tokens]).toEqual([1, 2, 3, 4, 5, 6, 7, 9]);
  sequences.forEach((sequence, index) => {
    const { segment, row } = ends[index]!;
    const chain = [...ancestors(segments, segment), segment].map((at) => segments[at]!);
    const whole = chain.flatMap(({ start, length }) => [...tokens.slice(start, start + length)]);
    expect(whole).toEqual(sequence);
    expect(tokens[row]).toBe(sequence.at(-1));
    expect(positions[row]).toBe(sequence.length - 1);
  });
});
