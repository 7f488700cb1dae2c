// linear_logprob under a mask of allowed tokens.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gradients } from './autograd.ts';
import { fromTypedArray, ones, randn, tensor, zeros } from './create.ts';
import type { DType } from './dtype.ts';
import * as ops from './ops.generated.ts';
import { manualSeed } from './random.ts';
import { Scope } from './scope.ts';
import type { Tensor } from './tensor.ts';
import { ruledOut, tokenMask } from './testing/kernel-forms.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
  manualSeed(5);
});
afterEach(() => scope[Symbol.dispose]());

const [tokens, features, vocabulary] = [6, 8, 71];
const targets = (): Tensor => tensor([0, 31, 32, 64, 70, 5], { dtype: 'int64' });
const target = [0, 31, 32, 64, 70, 5];
/** Row 0 may only be its target; the last word of the mask is incomplete. */
const allows = (row: number, token: number): boolean =>
  token === target[row] || (row > 0 && token % (row + 1) === 0);

/** `frozen`: the weight needs no gradient, which some processors compute differently. */
const given = (dtype: DType, frozen = false): [Tensor, Tensor] => [
  randn([tokens, features], { dtype: 'float64' }).mul(2).to(dtype).setRequiresGrad(),
  randn([vocabulary, features], { dtype: 'float64' }).to(dtype).setRequiresGrad(!frozen),
];

const mask = (): Tensor => tokenMask(tokens, vocabulary, allows);

/** The same from all logits at once: log-probability, log-sum-exp, entropy, most likely token. */
function composed(hidden: Tensor, weight: Tensor, scale: number, softcap: number): Tensor[] {
  let logits = hidden.linear(weight).to('float64').mul(scale);
  if (softcap > 0) logits = logits.div(softcap).tanh().mul(softcap);
  logits = logits.maskedFill(ruledOut(tokens, vocabulary, allows), Number.NEGATIVE_INFINITY);
  const logs = logits.logSoftmax(-1);
  const finite = logs.maskedFill(logits.lt(-1e300), 0);
  return [
    logs.gather(1, targets().unsqueeze(1)).squeeze(1),
    logits.logsumexp(-1),
    logs.exp().mul(finite).sum(-1).neg(),
    logits.argmax(-1),
  ];
}

const difference = (one: Tensor, other: Tensor): number =>
  one.detach().to('float64').sub(other.detach().to('float64')).abs().max().item();

const shapes = [1, 0.3].flatMap((scale) => [0, 2.5].map((softcap) => ({ scale, softcap })));

describe.each(shapes)('the distribution over the allowed tokens at %j', ({ scale, softcap }) => {
  it.each([1, 4, 256])('equals the composed form in chunks of %d', (chunk) => {
    const [hidden, weight] = given('float64');
    const found = ops.linearLogprob(hidden, weight, targets(), scale, softcap, chunk, mask());
    const wanted = composed(hidden, weight, scale, softcap);
    found.forEach((one, i) => {
      expect(difference(one, wanted[i]!)).toBeLessThan(1e-12);
    });
    const seed = randn([tokens], { dtype: 'float64' });
    const own = gradients(found[0], [hidden, weight], seed);
    const other = gradients(wanted[0]!, [hidden, weight], seed);
    own.forEach((one, i) => {
      expect(difference(one!, other[i]!)).toBeLessThan(1e-12);
    });
    // A token that no row allows takes no part.
    expect(own[1]!.select(0, 67).toArray()).toEqual(new Array(features).fill(0));
  });

  it.each([false, true])('is that of bfloat16 up to its rounding, frozen head: %s', (frozen) => {
    const [hidden, weight] = given('bfloat16', frozen);
    const found = ops.linearLogprob(hidden, weight, targets(), scale, softcap, 4, mask());
    const wide = hidden.detach().to('float64').setRequiresGrad();
    const wanted = composed(wide, weight.detach().to('float64'), scale, softcap);
    for (const i of [0, 1, 2]) expect(difference(found[i]!, wanted[i]!)).toBeLessThan(0.07);
    const seed = ones([tokens]);
    const [own] = gradients(found[0], [hidden], seed);
    const [other] = gradients(wanted[0]!, [wide], seed.to('float64'));
    expect(difference(own!, other!)).toBeLessThan(0.04 * other!.abs().max().item());
  });

  // float16 has no row loops on the CPU, so it takes the form that accelerators take.
  it('is that of the form in plain operators', () => {
    const [hidden, weight] = given('float16');
    const found = ops.linearLogprob(hidden, weight, targets(), scale, softcap, 4, mask());
    const wide = hidden.detach().to('float64').setRequiresGrad();
    const wanted = composed(wide, weight.detach().to('float64'), scale, softcap);
    found.forEach((one, i) => {
      expect(difference(one, wanted[i]!)).toBeLessThan(0.02);
    });
    const [own] = gradients(found[0], [hidden], ones([tokens]));
    const [other] = gradients(wanted[0]!, [wide], ones([tokens], { dtype: 'float64' }));
    expect(difference(own!, other!)).toBeLessThan(0.01 * other!.abs().max().item());
  });
});

const dtypes = ['float64', 'float32', 'bfloat16', 'float16'] as const;

it.each(dtypes)('the only allowed token is certain, and moves nothing: %s', (dtype) => {
  for (const { scale, softcap } of shapes) {
    for (const frozen of [false, true]) {
      const [hidden, weight] = given(dtype, frozen);
      const all = ops.linearLogprob(hidden, weight, targets(), scale, softcap, 4, mask());
      expect(all[0].select(0, 0).item()).toBe(0);
      expect(all[2].select(0, 0).item()).toBeCloseTo(0, 12);
      expect(all[3].select(0, 0).item()).toBe(0);
      const first = tensor([1, 0, 0, 0, 0, 0]).to(all[0].dtype);
      for (const one of gradients(all[0], frozen ? [hidden] : [hidden, weight], first)) {
        expect(one!.abs().max().item()).toBe(0);
      }
    }
  }
});

it.each(dtypes)('a mask of all tokens changes nothing: %s', (dtype) => {
  const [hidden, weight] = given(dtype);
  const every = tokenMask(tokens, vocabulary, () => true);
  for (const { scale, softcap } of shapes) {
    const plain = ops.linearLogprob(hidden, weight, targets(), scale, softcap, 4);
    const masked = ops.linearLogprob(hidden, weight, targets(), scale, softcap, 4, every);
    masked.forEach((one, i) => {
      expect(one.toArray()).toEqual(plain[i]!.toArray());
    });
    const seed = ones([tokens]).to(plain[0].dtype);
    const [own, other] = [masked, plain].map((one) =>
      gradients(one[0], [hidden, weight], seed).map((gradient) => gradient!.toArray()),
    );
    expect(own).toEqual(other);
  }
});

it.each(dtypes)('a target that is not allowed has no probability: %s', (dtype) => {
  for (const frozen of [false, true]) {
    const [hidden, weight] = given(dtype, frozen);
    const others = tokenMask(tokens, vocabulary, (row, token) => row > 0 || token === 33);
    const all = ops.linearLogprob(hidden, weight, targets(), 1, 2.5, 4, others);
    expect(all[0].select(0, 0).item()).toBe(Number.NEGATIVE_INFINITY);
    for (const one of all.slice(1)) expect(one.isFinite()).toBe(true);
    const seed = ones([tokens]).to(all[0].dtype);
    for (const one of gradients(all[0], [hidden], seed)) expect(one!.isFinite()).toBe(true);
  }
});

it('refuses masks that do not fit', () => {
  const [hidden, weight] = given('float32');
  const score = (allowed: Tensor) => ops.linearLogprob(hidden, weight, targets(), 1, 0, 4, allowed);
  expect(() => score(zeros([tokens, 3]))).toThrow(/allowed must be int32/);
  expect(() => score(zeros([tokens, 2], { dtype: 'int32' }))).toThrow(/must be \[6, 3\]/);
  expect(() => score(zeros([5, 3], { dtype: 'int32' }))).toThrow(/must be \[6, 3\]/);
  const none = new Int32Array(tokens * 3).fill(-1);
  // Only bits above the vocabulary.
  none.set([0, 0, 1 << 7], 3 * 4);
  expect(() => score(fromTypedArray(none, [tokens, 3]))).toThrow(/row 4 allows no token/);
});
