import { manualSeed, randn, type Tensor, tidy } from '@keel/torch';
import { expect, it } from 'vitest';
import { entropyWithGradient } from './entropy-gradient.ts';

const [rows, hidden, vocabulary] = [7, 5, 11];
const float64 = { dtype: 'float64' } as const;

/** The direct form: all logits at once, with the gradient by autograd. */
function composed(states: Tensor, weight: Tensor, scale: number, softcap: number): Tensor {
  let logits = states.matmul(weight.t()).mul(scale);
  if (softcap > 0) logits = logits.div(softcap).tanh().mul(softcap);
  const logprobs = logits.logSoftmax(-1);
  return logprobs.exp().mul(logprobs).sum(-1).neg();
}

it.each([
  [1, 0],
  [2, 0],
  [0.5, 1.5],
])('equals that of all logits at once, at a scale of %f and a cap of %f', (scale, softcap) => {
  tidy(() => {
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
    const expected = gradient((states) => composed(states, weight, scale, softcap));
    const found = gradient((states) => {
      const entropy = composed(start, weight, scale, softcap);
      return entropyWithGradient(states, weight, entropy, { scale, softcap, chunk: 3 });
    });
    expect(found.value).toEqual(expected.value);
    found.grad.forEach((one, at) => void expect(one).toBeCloseTo(expected.grad[at]!, 12));
  });
});
