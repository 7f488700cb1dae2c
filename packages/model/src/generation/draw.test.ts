import { manualSeed, ops, tensor, tidy } from '@keel/torch';
import { expect, test } from 'vitest';
import {
  drawByUniform,
  drawByUniformComposed,
  drawGreedily,
  drawGreedilyComposed,
} from './draw.ts';
import { uniformFor } from './philox.ts';

const nothing = Number.NEGATIVE_INFINITY;
const justBelowOne = 1 - 2 ** -53;

test('the number selects by the inverse of the distribution function', () => {
  tidy(() => {
    const row = [0.1, 0.2, 0.3, 0.4].map(Math.log);
    const uniforms = [0, 0.0999, 0.1001, 0.2999, 0.3001, 0.5999, 0.6001, justBelowOne];
    const draws = drawByUniform(tensor(uniforms.map(() => row)), uniforms);
    expect(draws.map(({ token }) => token)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    for (const { token, logprob } of draws) expect(logprob).toBeCloseTo(row[token]!, 6);
  });
});

// Sizes around the boundaries of the summed chunks.
test.each([
  1, 2, 255, 256, 257, 512, 700, 1031,
])('of %i tokens, each can be drawn unless it is ruled out', (size) => {
  tidy(() => {
    manualSeed(size);
    const logits = ops.randn([1, size]).maskedFill(ops.rand([1, size]).lt(0.4), nothing);
    logits.narrow(1, size - 1, 1).fill_(0.3);
    const probabilities = logits.softmax(1).toArray();
    let below = 0;
    const middles: [number, number][] = [];
    for (const [token, probability] of probabilities.entries()) {
      if (probability > 0) middles.push([token, below + probability / 2]);
      below += probability;
    }
    const many = ops.repeatInterleaveSelfInt(logits, middles.length, 0);
    const draws = drawByUniform(
      many,
      middles.map(([, middle]) => middle),
    );
    expect(draws.map(({ token }) => token)).toEqual(middles.map(([token]) => token));
    expect(drawByUniform(logits, [justBelowOne])[0]!.token).toBe(size - 1);
    expect(drawByUniform(logits, [0])[0]!.token).toBe(middles[0]![0]);
  });
});

test('thousands of draws have the distribution of the softmax', () => {
  const logits = [1.5, 0.2, -1, 0, 0.9, -0.4, 2, -2];
  const draws = 20_000;
  const counts = new Array<number>(logits.length).fill(0);
  const probabilities = tidy(() => tensor(logits).softmax(0).toArray());
  for (let step = 0; step < 20; step++) {
    tidy(() => {
      const uniforms = Array.from({ length: draws / 20 }, (_, row) => uniformFor(42, row, 0, step));
      const many = ops.repeatInterleaveSelfInt(tensor([logits]), uniforms.length, 0);
      for (const { token } of drawByUniform(many, uniforms)) counts[token]! += 1;
    });
  }
  const statistic = counts.reduce((sum, count, i) => {
    const expected = draws * probabilities[i]!;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  // 99.9% point of chi-square with 7 degrees of freedom.
  expect(statistic).toBeLessThan(24.3);
});

test('the operator draws the same as the composed form, at any temperature', () => {
  tidy(() => {
    manualSeed(7);
    const logits = ops.randn([40, 1031]).mul(3);
    const uniforms = Array.from({ length: 40 }, (_, row) => uniformFor(1, row, 0, 0));
    const pairs = [
      [drawGreedily(logits), drawGreedilyComposed(logits)] as const,
      ...[0.3, 1, 1.7].map(
        (temperature) =>
          [
            drawByUniform(logits, uniforms, temperature),
            drawByUniformComposed(logits.div(temperature), uniforms),
          ] as const,
      ),
    ];
    for (const [drawn, composed] of pairs) {
      expect(drawn.map(({ token }) => token)).toEqual(composed.map(({ token }) => token));
      for (const [row, { logprob }] of drawn.entries())
        expect(logprob).toBeCloseTo(composed[row]!.logprob, 4);
    }
  });
});

test('greedy is the first of the most likely tokens, with its log-probability', () => {
  tidy(() => {
    const draws = drawGreedily(
      tensor([
        [1, 3, 3, 0],
        [nothing, nothing, 2, nothing],
      ]),
    );
    expect(draws.map(({ token }) => token)).toEqual([1, 2]);
    expect(draws[0]!.logprob).toBeCloseTo(3 - Math.log(Math.exp(1) + 2 * Math.exp(3) + 1), 5);
    expect(draws[1]!.logprob).toBe(0);
  });
});

test('logits that leave no choice cause an error that says why', () => {
  tidy(() => {
    for (const draw of [
      drawGreedily,
      (logits: ReturnType<typeof tensor>) => drawByUniform(logits, [0.5, 0.5]),
    ]) {
      expect(() =>
        draw(
          tensor([
            [0, 1],
            [nothing, nothing],
          ]),
        ),
      ).toThrow(/row 1: .*ruled out/);
      expect(() =>
        draw(
          tensor([
            [0, Number.NaN],
            [1, 1],
          ]),
        ),
      ).toThrow(/row 0: the largest logit is NaN/);
      expect(() =>
        draw(
          tensor([
            [0, Number.POSITIVE_INFINITY],
            [1, 1],
          ]),
        ),
      ).toThrow(/largest logit is Infinity/);
    }
  });
});
