import { gradcheck, gradients, type Tensor, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { processReward } from './process-reward.ts';

const column = (values: number[]): Tensor => tensor(values, { dtype: 'float64' });
const values = (make: () => Tensor): number[] => tidy(() => make().toArray());
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.log1p(Math.exp(x));

/** Gradients of the sum of the losses. */
function slopes(inputs: number[][], loss: (...inputs: Tensor[]) => Tensor): number[][] {
  return tidy(() => {
    const leaves = inputs.map((input) => column(input).setRequiresGrad());
    return gradients(loss(...leaves).sum(), leaves).map((one) => one!.toArray());
  });
}

describe('process rewards', () => {
  const scores = [0.3, -1.5, 2, 0];
  const labels = [1, 0, 0, 0.25];

  it('is the cross-entropy of s(score), soft labels included', () => {
    const expected = scores.map(
      (x, index) => labels[index]! * softplus(-x) + (1 - labels[index]!) * softplus(x),
    );
    const found = values(() => processReward(column(scores), column(labels)));
    for (const [index, one] of expected.entries()) expect(found[index]).toBeCloseTo(one, 12);
  });

  it('has the gradient s(x) - y', () => {
    const [slope] = slopes([scores], (x) => processReward(x!, column(labels)));
    for (const [index, x] of scores.entries()) {
      expect(slope![index]).toBeCloseTo(logistic(x) - labels[index]!, 12);
    }
    tidy(() =>
      gradcheck((x) => processReward(x!, column(labels)), [column(scores).setRequiresGrad()]),
    );
  });

  it('stays finite at 1e4 for any label', () => {
    expect(
      values(() => processReward(column([1e4, 1e4, -1e4, -1e4]), column([1, 0, 1, 0]))).map(
        Math.abs,
      ),
    ).toEqual([0, 1e4, 1e4, 0]);
  });

  it('rejects labels of another shape', () => {
    tidy(() => {
      expect(() => processReward(column(scores), column([1]))).toThrow('labels [1]');
    });
  });
});
