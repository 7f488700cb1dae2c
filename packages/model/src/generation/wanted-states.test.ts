// The states of only some tokens, as generation needs from its prompts.
import { fromTypedArray, noGrad, tidy, withSeed } from '@keel/torch';
import { expect, test } from 'vitest';
import { addLora } from '../adapters/lora.ts';
import { SegmentAttention } from '../attention.ts';
import { BatchBuilder } from '../packed-batch.ts';
import { tinyDecoder } from '../testing/tiny-decoder.ts';

test.each([
  null,
  'policy',
])('wanted states equal those of the whole pass (adapter %s)', (adapter) => {
  const decoder = tinyDecoder();
  const lora = { rank: 3, alpha: 6, targets: 'all-linear', seed: 2 } as const;
  withSeed(1, () => {
    for (const parameter of addLora(decoder, 'policy', lora).values())
      noGrad(() => parameter.normal_(0, 0.2));
  });
  const builder = new BatchBuilder();
  for (const tokens of [[3, 1, 4, 1, 5], [9], [2, 6, 5]]) builder.add(tokens);
  const batch = builder.build();
  const [all, some, order] = noGrad(() =>
    tidy(() => {
      const ids = (tokens: ArrayLike<number>) =>
        fromTypedArray(BigInt64Array.from(Array.from(tokens, BigInt)), [tokens.length]);
      const states = (wanted: number[] | null) =>
        decoder
          .hidden(ids(batch.tokens), batch.positions, new SegmentAttention(batch), {
            adapter,
            wanted: wanted && ids(wanted),
          })
          .toArray();
      return [states(null), states([4, 5, 8]), states([8, 0])];
    }),
  );
  const { hiddenSize } = decoder.config;
  const row = (at: number): number[] => all.slice(at * hiddenSize, (at + 1) * hiddenSize);
  const near = (values: number[], expected: number[]): void => {
    expect(values).toHaveLength(expected.length);
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i]!, 12);
  };
  near(some, [4, 5, 8].flatMap(row));
  near(order, [8, 0].flatMap(row));
  expect(row(4)).not.toEqual(row(8));
});
