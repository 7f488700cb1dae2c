// Properties of the gradients of whole losses, assembled from this folder's functions as in a
// trainer.
import { gradcheck, gradients, type Tensor, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { clippedSurrogate } from './clipped-surrogate.ts';
import { completionEnd } from './fixtures/completion-end.ts';
import { generalisedAdvantages } from './gae.ts';
import { advantageScalings, groupAdvantages, leaveOneOutAdvantages } from './group-advantages.ts';
import { importanceRatio, ratioLevels } from './importance-ratio.ts';
import { klLoss } from './kl-estimators.ts';
import {
  type LossReduction,
  lossReductions,
  reduceLoss,
  reductionWeights,
  stepTotals,
} from './loss-reductions.ts';
import { reinforceLoss } from './reinforce.ts';
import { constantLike, type Numbers, RolloutLayout } from './rollout.ts';
import { tokenRewards } from './token-rewards.ts';

const wide = { dtype: 'float64' } as const;
const layout = RolloutLayout.of([3, 1, 2, 4], [0, 0, 1, 1]);
const oldLogprobs = [-0.5, -1.2, -0.3, -2, -0.7, -0.1, -1.1, -0.9, -0.4, -1.6];
const reference = [-0.6, -1, -0.5, -1.5, -0.9, -0.2, -1, -1.3, -0.2, -1.1];
const moved = oldLogprobs.map((one, at) => one + 0.05 * Math.sin(3 * at));
const rewards = [1, -0.5, 2, 0.25];
const clip = { low: 0.2, high: 0.2 };

const pieces = (
  part: RolloutLayout,
  policy: Tensor,
  { old, ref, gains }: { old: Numbers; ref: Numbers; gains: Numbers },
  { level = 'token' as (typeof ratioLevels)[number], beta = 0 } = {},
): Tensor => {
  const ratio = importanceRatio(part, { policy, old: constantLike(old, policy) }, level);
  const { loss } = clippedSurrogate(ratio, constantLike(gains, policy), clip);
  if (beta === 0) return loss;
  return loss.add(klLoss('k3', { policy, reference: constantLike(ref, policy) }, beta));
};

const slopeOf = (values: Numbers, loss: (policy: Tensor) => Tensor): number[] =>
  tidy(() => {
    const policy = tensor(Array.from(values), wide).setRequiresGrad();
    return gradients(loss(policy), [policy])[0]!.toArray();
  });

const weightsOf = (name: LossReduction) => reductionWeights(layout, name, { maxTokens: 8 });

describe('a constant added to all rewards', () => {
  const estimators = {
    rloo: (shift: number) =>
      leaveOneOutAdvantages(
        layout,
        rewards.map((one) => one + shift),
      ),
    ...Object.fromEntries(
      advantageScalings.map((scaling) => [
        `grpo, ${scaling}`,
        (shift: number) =>
          groupAdvantages(
            layout,
            rewards.map((one) => one + shift),
            { scaling },
          ),
      ]),
    ),
  };
  it.each(Object.entries(estimators))('changes no gradient of %s', (_, advantages) => {
    const slope = (shift: number) =>
      slopeOf(moved, (policy) =>
        reduceLoss(
          pieces(layout, policy, {
            old: oldLogprobs,
            ref: reference,
            gains: layout.spread(advantages(shift).advantages),
          }),
          weightsOf('grpo'),
        ),
      );
    const [plain, shifted] = [slope(0), slope(100)];
    expect(Math.max(...plain.map(Math.abs))).toBeGreaterThan(0.01);
    plain.forEach((one, at) => {
      expect(Math.abs(one - shifted[at]!)).toBeLessThan(1e-12);
    });
  });

  it('changes the gradient without a baseline, so the test above can fail', () => {
    const slope = (shift: number) =>
      slopeOf(moved, (policy) =>
        reduceLoss(
          reinforceLoss(
            policy,
            constantLike(layout.spread(rewards.map((one) => one + shift)), policy),
          ),
          weightsOf('grpo'),
        ),
      );
    expect(slope(0)).not.toEqual(slope(100));
  });
});

describe('one epoch, one minibatch, ratio 1', () => {
  const gains = [1, -2, 0.5, 3, -1, 0.25, 2, -0.5, 1.5, -3];
  it.each(lossReductions)('%s: the PPO gradient is the policy gradient', (name) => {
    const weights = weightsOf(name);
    const ppo = slopeOf(oldLogprobs, (policy) =>
      reduceLoss(pieces(layout, policy, { old: oldLogprobs, ref: reference, gains }), weights),
    );
    const plain = slopeOf(oldLogprobs, (policy) =>
      reduceLoss(reinforceLoss(policy, constantLike(gains, policy)), weights),
    );
    expect(ppo).toEqual(plain);
    expect(plain).toEqual(gains.map((one, at) => -one * weights[at]!));
  });
});

describe('zero advantage and zero KL', () => {
  it.each(ratioLevels)('%s: the policy stays where it is', (level) => {
    const zero = new Float64Array(layout.tokens);
    const slope = slopeOf(oldLogprobs, (policy) =>
      reduceLoss(
        pieces(
          layout,
          policy,
          { old: oldLogprobs, ref: oldLogprobs, gains: zero },
          { level, beta: 0.1 },
        ),
        weightsOf('dapo'),
      ),
    );
    for (const one of slope) expect(Math.abs(one)).toBe(0);
  });
});

describe('what comes after the end token', () => {
  it('changes no gradient of PPO', () => {
    const slope = (tails: number[][]) => {
      const completions = [[5, 6, 2], [2]].map((tokens, at) => [...tokens, ...tails[at]!]);
      const ends = completions.map((tokens) => completionEnd(tokens, new Set([2])));
      const own = RolloutLayout.of(ends.map(({ length }) => length));
      // The models' numbers for every token, including those after the end.
      const said = completions.flatMap((tokens, row) =>
        tokens.slice(0, ends[row]!.length).map((token, at) => -0.1 * token - 0.3 * at - row),
      );
      const kl = said.map((one) => 0.1 * one);
      const { advantages } = generalisedAdvantages(
        own,
        { rewards: tokenRewards(own, [1, -1], kl, 0.2), values: said },
        { gamma: 1, lambda: 0.95 },
      );
      return slopeOf(said, (policy) =>
        reduceLoss(
          pieces(own, policy, { old: said, ref: kl, gains: advantages }, { beta: 0.1 }),
          reductionWeights(own, 'grpo'),
        ),
      );
    };
    expect(
      slope([
        [2, 9, 0],
        [7, 7, 7, 7],
      ]),
    ).toEqual(slope([[], []]));
  });
});

describe('packed', () => {
  it.each(ratioLevels)('%s: equals single sequences, bit for bit in the gradient', (level) => {
    const gains = layout.spread(leaveOneOutAdvantages(layout, rewards).advantages);
    for (const name of lossReductions.filter((one) => one !== 'bnpo')) {
      const packed = slopeOf(moved, (policy) =>
        reduceLoss(
          pieces(layout, policy, { old: oldLogprobs, ref: reference, gains }, { level, beta: 0.1 }),
          weightsOf(name),
        ),
      );
      const totals = stepTotals([layout]);
      const alone = [0, 1, 2, 3].flatMap((sequence) => {
        const { layout: part, tokens } = layout.select([sequence]);
        const of = (values: Numbers) => Array.from(tokens, (token) => values[token]!);
        return slopeOf(of(moved), (policy) =>
          reduceLoss(
            pieces(
              part,
              policy,
              { old: of(oldLogprobs), ref: of(reference), gains: of(gains) },
              { level, beta: 0.1 },
            ),
            reductionWeights(part, name, { totals, maxTokens: 8 }),
          ),
        );
      });
      expect(packed).toEqual(alone);
    }
  });
});

describe('whole losses', () => {
  it.each([
    'token',
    'sequence',
    'sequence_product',
  ] as const)('%s: have a gradient that matches finite differences', (level) => {
    const gains = layout.spread(groupAdvantages(layout, rewards).advantages);
    tidy(() =>
      gradcheck(
        (policy) =>
          reduceLoss(
            pieces(
              layout,
              policy,
              { old: oldLogprobs, ref: reference, gains },
              { level, beta: 0.3 },
            ),
            weightsOf('dapo_group'),
          ),
        [tensor(moved, wide).setRequiresGrad()],
      ),
    );
  });

  it('have the closed form of the gradient: w (-r A [free] + b (1 - ref/p))', () => {
    const gains = layout.spread(groupAdvantages(layout, rewards).advantages);
    const weights = weightsOf('grpo');
    const far = oldLogprobs.map((one, at) => one + (at % 3) * 0.2 - 0.2);
    const found = slopeOf(far, (policy) =>
      reduceLoss(
        pieces(layout, policy, { old: oldLogprobs, ref: reference, gains }, { beta: 0.3 }),
        weights,
      ),
    );
    found.forEach((one, at) => {
      const ratio = Math.exp(far[at]! - oldLogprobs[at]!);
      const held = gains[at]! > 0 ? ratio > 1.2 : ratio < 0.8;
      const kl = 0.3 * (1 - Math.exp(reference[at]! - far[at]!));
      const expected = weights[at]! * ((held ? 0 : -ratio * gains[at]!) + kl);
      expect(Math.abs(one - expected)).toBeLessThan(1e-14);
    });
  });

  it.each(
    ratioLevels,
  )('%s: are finite at log-ratios of +-1e3, one-token completions included', (level) => {
    tidy(() => {
      const policy = tensor([0, -1e3, 0, -1e3, 0, -1e3, 0, -1e3, 0, 0]).setRequiresGrad();
      const swapped = [-1e3, 0, -1e3, 0, -1e3, 0, -1e3, 0, 0, 0];
      const gains = layout.spread([1, -1, 0, -2]);
      const loss = reduceLoss(
        pieces(layout, policy, { old: swapped, ref: swapped, gains }, { level, beta: 0.1 }),
        weightsOf('grpo'),
      );
      expect(loss.isFinite()).toBe(true);
      expect(gradients(loss, [policy])[0]!.isFinite()).toBe(true);
    });
  });
});
