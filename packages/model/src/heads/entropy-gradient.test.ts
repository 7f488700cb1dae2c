import { fromTypedArray, manualSeed, ops, randn, type Tensor, tidy } from '@keel/torch';
import { expect, it } from 'vitest';
import { entropyWithGradient } from './entropy-gradient.ts';

const [rows, hidden, vocabulary] = [7, 5, 11];
const float64 = { dtype: 'float64' } as const;

/** The direct form: all logits at once, with the gradient by autograd. */
function composed(
  states: Tensor,
  weight: Tensor,
  scale: number,
  softcap: number,
  allowed: Tensor | null = null,
): Tensor {
  let logits = states.matmul(weight.t()).mul(scale);
  if (softcap > 0) logits = logits.div(softcap).tanh().mul(softcap);
  const out = allowed === null ? null : ops.ruledOut(allowed, vocabulary);
  if (out !== null) logits = logits.maskedFill(out, Number.NEGATIVE_INFINITY);
  const logprobs = logits.logSoftmax(-1);
  const finite = out === null ? logprobs : logprobs.maskedFill(out, 0);
  return logprobs.exp().mul(finite).sum(-1).neg();
}

/** Of the last row only one token, of the others some. */
const masks = Int32Array.from({ length: rows }, (_, row) =>
  row === rows - 1 ? 1 << 4 : 0b10110010111 & ~(1 << row),
);

it.each([
  [1, 0, null],
  [2, 0, null],
  [0.5, 1.5, null],
  [1, 0, masks],
  [0.5, 1.5, masks],
])('equals that of all logits at once: scale %f, cap %f, mask %s', (scale, softcap, words) => {
  tidy(() => {
    const allowed = words && fromTypedArray(words, [rows, 1]);
    manualSeed(4);
    const weight = randn([vocabulary, hidden], float64);
    const start = randn([rows, hidden], float64);
    const factors = randn([rows], float64);
    const gradient = (
      entropyOf: (states: Tensor) => Tensor,
    ): { value: number[]; grad: number[] } => {
      const states = start.clone().setRequiresGrad();
      const entropy = entropyOf(states);
      entropy.mul(factors).sum().backward();
      return { value: entropy.detach().toArray(), grad: states.grad!.reshape(-1).toArray() };
    };
    const expected = gradient((states) => composed(states, weight, scale, softcap, allowed));
    const found = gradient((states) => {
      const entropy = composed(start, weight, scale, softcap, allowed);
      return entropyWithGradient(states, weight, entropy, { scale, softcap, chunk: 3, allowed });
    });
    // No distinction between 0 and -0, the entropy of a certain token.
    expect(found.value.map((one) => one + 0)).toEqual(expected.value.map((one) => one + 0));
    const single = found.grad.slice(-hidden).map(Math.abs);
    if (words !== null) expect(single).toEqual(new Array(hidden).fill(0));
    found.grad.forEach((one, at) => void expect(one).toBeCloseTo(expected.grad[at]!, 12));
  });
});
