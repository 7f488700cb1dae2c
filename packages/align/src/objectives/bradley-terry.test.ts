import { gradcheck, gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { type BradleyTerryOptions, bradleyTerry } from './bradley-terry.ts';
import { column, slopes, values } from './fixtures/columns.ts';
import { goldenOnline } from './fixtures/golden-online.ts';

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

describe('golden losses', () => {
  it('Bradley-Terry with margin and centring', () => {
    const pairs = goldenOnline<Record<string, number>>('bradley-terry');
    expect(pairs.length).toBeGreaterThan(0);
    for (const pair of pairs) {
      const loss = (margin: boolean, options?: BradleyTerryOptions): number =>
        values(() =>
          bradleyTerry(
            {
              chosen: column([pair.chosen!]),
              rejected: column([pair.rejected!]),
              ...(margin && { margin: column([pair.margin!]) }),
            },
            options,
          ),
        )[0]!;
      expect(Math.abs(loss(false) - pair.loss!)).toBeLessThan(1e-9);
      expect(Math.abs(loss(true) - pair.loss_with_margin!)).toBeLessThan(1e-9);
      const centring = (loss(false, { centring: 0.5 }) - loss(false)) / 0.5;
      expect(Math.abs(centring - pair.center_term!)).toBeLessThan(1e-9);
    }
  });
});

describe('Bradley-Terry', () => {
  const chosen = [0.4, -1.2, 3];
  const rejected = [0.9, -2, -0.5];
  const margin = [0.3, 0, 1];

  it('has the gradient of the paper: s(c - r - m) - 1, plus 2w(c + r) with centring', () => {
    const [toChosen, toRejected] = slopes([chosen, rejected], (c, r) =>
      bradleyTerry({ chosen: c!, rejected: r!, margin: column(margin) }, { centring: 0.01 }),
    );
    for (const [index, c] of chosen.entries()) {
      const wrong = logistic(c - rejected[index]! - margin[index]!) - 1;
      const pull = 0.02 * (c + rejected[index]!);
      expect(toChosen![index]).toBeCloseTo(wrong + pull, 12);
      expect(toRejected![index]).toBeCloseTo(-wrong + pull, 12);
    }
  });

  it('has a gradient that matches finite differences', () => {
    tidy(() => {
      const [c, r, m] = [chosen, rejected, margin].map((one) => column(one).setRequiresGrad());
      gradcheck(
        (a, b, d) => bradleyTerry({ chosen: a!, rejected: b!, margin: d! }, { centring: 0.1 }),
        [c!, r!, m!],
      );
    });
  });

  it('is ln 2 for equal rewards, and a shift of both changes only the centring', () => {
    const loss = (shift: number, options?: BradleyTerryOptions): number[] =>
      values(() =>
        bradleyTerry(
          { chosen: column(chosen).add(shift), rejected: column(rejected).add(shift) },
          options,
        ),
      );
    for (const [index, one] of loss(7).entries()) expect(one).toBeCloseTo(loss(0)[index]!, 12);
    expect(loss(7, { centring: 0.1 })[0]! - loss(7)[0]!).toBeCloseTo(0.1 * 15.3 ** 2, 9);
    expect(values(() => bradleyTerry({ chosen: column([5]), rejected: column([5]) }))).toEqual([
      Math.LN2,
    ]);
  });

  it.each([
    'float64',
    'float32',
  ] as const)('neither overflows nor vanishes at 1e4 in %s', (dtype) => {
    tidy(() => {
      const c = tensor([1e4, -1e4, 0], { dtype }).setRequiresGrad();
      const r = tensor([0, 0, 0], { dtype });
      const loss = bradleyTerry({ chosen: c, rejected: r, margin: tensor([0, 0, 1e4], { dtype }) });
      expect(loss.toArray().map(Math.abs)).toEqual([0, 1e4, 1e4]);
      expect(gradients(loss.sum(), [c])[0]!.toArray().map(Math.abs)).toEqual([0, 1, 1]);
    });
  });

  it('rejects columns that would broadcast', () => {
    tidy(() => {
      const [one, three] = [column([1]), column(chosen)];
      const standing = three.view(-1, 1);
      expect(() => bradleyTerry({ chosen: three, rejected: one })).toThrow(
        'chosen is [3] and rejected [1]',
      );
      expect(() => bradleyTerry({ chosen: standing, rejected: standing })).toThrow(RangeError);
      expect(() => bradleyTerry({ chosen: three, rejected: three, margin: one })).toThrow(
        'margin [1]',
      );
    });
  });
});

describe('Bradley-Terry with uncertain labels', () => {
  const chosen = [0.4, -1.2, 3];
  const rejected = [0.9, -2, -0.5];
  const probability = [0.8, 0.5, 0.1];
  const losses = (chances: readonly number[], swaps = false): number[] =>
    values(() =>
      bradleyTerry({
        chosen: column(swaps ? rejected : chosen),
        rejected: column(swaps ? chosen : rejected),
        probability: column([...chances]),
      }),
    );
  const plain = values(() => bradleyTerry({ chosen: column(chosen), rejected: column(rejected) }));

  it('is the cross-entropy to the probability, with the gradient s(c - r) - p', () => {
    const [toChosen, toRejected] = slopes([chosen, rejected], (c, r) =>
      bradleyTerry({ chosen: c!, rejected: r!, probability: column(probability) }),
    );
    losses(probability).forEach((loss, at) => {
      const s = logistic(chosen[at]! - rejected[at]!);
      const p = probability[at]!;
      expect(loss).toBeCloseTo(-p * Math.log(s) - (1 - p) * Math.log(1 - s), 12);
      expect(toChosen![at]).toBeCloseTo(s - p, 12);
      expect(toRejected![at]).toBeCloseTo(p - s, 12);
    });
  });

  it('is the loss itself at 1 and that of the swapped pair at 0, bit for bit', () => {
    expect(losses([1, 1, 1])).toEqual(plain);
    expect(losses([0, 0, 0], true)).toEqual(plain);
  });

  it('is finite for huge rewards', () => {
    const [loss] = values(() =>
      bradleyTerry({
        chosen: column([1e4]),
        rejected: column([0]),
        probability: column([0.75]),
      }),
    );
    expect(loss).toBeCloseTo(2500, 6);
  });

  it('refuses a probability of another shape', () => {
    const pair = { chosen: column([1, 2]), rejected: column([1, 2]) };
    expect(() => bradleyTerry({ ...pair, probability: column([1]) })).toThrow(RangeError);
  });
});
