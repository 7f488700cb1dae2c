import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gradcheck, gradients } from './autograd.ts';
import { ones, randn, tensor, zeros } from './create.ts';
import type { DType } from './dtype.ts';
import * as ops from './ops.generated.ts';
import { manualSeed } from './random.ts';
import { Scope } from './scope.ts';
import type { Tensor } from './tensor.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
  manualSeed(3);
});
afterEach(() => scope[Symbol.dispose]());

const [tokens, features, vocabulary] = [5, 4, 7];
const targets = (): Tensor => tensor([0, 6, 3, 3, 1], { dtype: 'int64' });

interface Case {
  scale?: number;
  softcap?: number;
  chunk?: number;
}

/** Hidden [N, H] and weight [V, H], large enough for a soft cap to have an effect. */
const given = (dtype: DType = 'float64'): [Tensor, Tensor] => [
  randn([tokens, features], { dtype: 'float64' }).mul(2).to(dtype).setRequiresGrad(),
  randn([vocabulary, features], { dtype: 'float64' }).to(dtype).setRequiresGrad(),
];

const fused = (hidden: Tensor, weight: Tensor, { scale = 1, softcap = 0, chunk = 256 }: Case) =>
  ops.linearLogprob(hidden, weight, targets(), scale, softcap, chunk);

/** The same with log_softmax over the whole [N, V]. */
function composed(hidden: Tensor, weight: Tensor, { scale = 1, softcap = 0 }: Case): Tensor[] {
  let logits = hidden.linear(weight).mul(scale); // [N, V]
  if (softcap > 0) logits = logits.div(softcap).tanh().mul(softcap);
  const logs = logits.logSoftmax(-1);
  const chosen = logs.gather(1, targets().unsqueeze(1)).squeeze(1); // [N]
  return [chosen, logits.logsumexp(-1), logs.exp().mul(logs).sum(-1).neg(), logits.argmax(-1)];
}

function largestDifference(one: Tensor, other: Tensor): number {
  expect(one.shape).toEqual(other.shape);
  return one.detach().to('float64').sub(other.detach().to('float64')).abs().max().item();
}

const cases: Case[] = [];
for (const scale of [1, 0.3])
  for (const softcap of [0, 2.5])
    for (const chunk of [1, 2, tokens, 100]) cases.push({ scale, softcap, chunk });

describe('linear_logprob in float64', () => {
  test.each(cases)('equals the composed form: %j', (options) => {
    const [hidden, weight] = given();
    const results = fused(hidden, weight, options);
    const expected = composed(hidden, weight, options);
    expect(results[3].dtype).toBe('int64');
    results.forEach((result, i) => {
      expect(largestDifference(result, expected[i]!)).toBeLessThan(1e-12);
    });
    const seed = randn([tokens], { dtype: 'float64' });
    const found = gradients(results[0], [hidden, weight], seed);
    const wanted = gradients(expected[0]!, [hidden, weight], seed);
    found.forEach((gradient, i) => {
      expect(largestDifference(gradient!, wanted[i]!)).toBeLessThan(1e-12);
    });
  });

  test.each(cases)('passes gradcheck: %j', (options) => {
    gradcheck((hidden, weight) => fused(hidden!, weight!, options)[0], given());
  });

  test('gradients of one input alone', () => {
    const [hidden, weight] = given();
    gradcheck((one) => fused(one!, weight.detach(), { chunk: 2 })[0], [hidden]);
    gradcheck((one) => fused(hidden.detach(), one!, { chunk: 2 })[0], [weight]);
  });

  test('only the log-probability has a gradient', () => {
    const [hidden, weight] = given();
    expect(fused(hidden, weight, {}).map((one) => one.requiresGrad)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('no tokens at all', () => {
    const hidden = zeros([0, features], { dtype: 'float64' }).setRequiresGrad();
    const weight = given()[1];
    const results = ops.linearLogprob(hidden, weight, zeros([0], { dtype: 'int64' }));
    expect(results.map((one) => one.shape)).toEqual([[0], [0], [0], [0]]);
    results[0].sum().backward();
    expect(hidden.grad?.shape).toEqual([0, features]);
    expect(weight.grad?.toArray()).toEqual(new Array(vocabulary * features).fill(0));
  });

  test('logits of very different sizes stay finite', () => {
    const hidden = tensor([[1000], [-1000]], { dtype: 'float64' }).setRequiresGrad();
    const weight = tensor([[1], [0], [-1]], { dtype: 'float64' });
    const [logprob, , entropy] = ops.linearLogprob(
      hidden,
      weight,
      tensor([0, 0], { dtype: 'int64' }),
    );
    expect(logprob.toArray()).toEqual([0, -2000]);
    expect(entropy.isFinite()).toBe(true);
    logprob.sum().backward();
    expect(hidden.grad?.toArray()).toEqual([0, 2]);
  });
});

describe('linear_logprob in narrower types', () => {
  test('bfloat16 equals the composed form in float32 up to its rounding', () => {
    for (const options of [{}, { softcap: 2.5, scale: 0.3, chunk: 2 }]) {
      const [hidden, weight] = given('bfloat16');
      const [wideHidden, wideWeight] = [hidden, weight].map((one) =>
        one.detach().to('float32').setRequiresGrad(),
      ) as [Tensor, Tensor];
      const results = fused(hidden, weight, options);
      const expected = composed(wideHidden, wideWeight, options);
      expect(results.map((one) => one.dtype)).toEqual(['float32', 'float32', 'float32', 'int64']);
      // Logits up to about 16 have bfloat16's 8 bits: half a unit is 16 / 512.
      for (const i of [0, 1, 2])
        expect(largestDifference(results[i]!, expected[i]!)).toBeLessThan(0.07);
      results[0].sum().backward();
      expected[0]!.sum().backward();
      for (const [narrow, wide] of [
        [hidden, wideHidden],
        [weight, wideWeight],
      ] as const) {
        expect(narrow.grad?.dtype).toBe('bfloat16');
        const size = wide.grad!.abs().max().item();
        expect(largestDifference(narrow.grad!, wide.grad!)).toBeLessThan(0.04 * size);
      }
    }
  });

  test('float32 equals the composed form', () => {
    const [hidden, weight] = given('float32');
    const results = fused(hidden, weight, { chunk: 2 });
    composed(hidden, weight, {}).forEach((one, i) => {
      expect(largestDifference(results[i]!, one)).toBeLessThan(1e-5);
    });
  });
});

test('linear_logprob refuses shapes that do not fit', () => {
  const index = (...data: number[]): Tensor => tensor(data, { dtype: 'int64' });
  expect(() => ops.linearLogprob(ones([2, 3]), ones([4, 3]), index(0))).toThrow(
    /2 rows of hidden, 1 targets/,
  );
  expect(() => ops.linearLogprob(ones([1, 3]), ones([4, 2]), index(0))).toThrow(
    /3 features, weight 2/,
  );
  expect(() => ops.linearLogprob(ones([3]), ones([4, 3]), index(0))).toThrow(/hidden \[N, H\]/);
  expect(() => ops.linearLogprob(ones([1, 3]), ones([4, 3]), index(4))).toThrow(
    /outside the vocabulary of 4/,
  );
  expect(() => ops.linearLogprob(ones([1, 3]), ones([4, 3]), index(0), 1, 0, 0)).toThrow(
    /chunk must be positive/,
  );
});
