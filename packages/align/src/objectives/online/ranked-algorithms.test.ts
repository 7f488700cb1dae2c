// The fixed points of algorithms that rank answers, on the small language of
// online-algorithms.test.ts.
import { AdamW, fromTypedArray, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { SmallWorld, totalVariation, uniforms } from '../simulation/small-world.ts';
import { tokenNll } from '../token-nll.ts';
import { bestOfNKl } from './best-of-n.ts';
import { trainSmallWorld, type WorldAlgorithm } from './fixtures/train-small-world.ts';
import { worldPairLoss } from './fixtures/world-pair-loss.ts';
import { keptAnswers } from './kept-answers.ts';
import { bradleyTerryPairs } from './preference-pairs.ts';

const beta = 0.5;
const world = new SmallWorld({ vocabulary: 4, longest: 3, seed: 3 });
const start = world.probabilities(world.reference);
const best = world.rewards.indexOf(Math.max(...world.rewards));

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
const klToStart = (found: Float64Array): number =>
  found.reduce((sum, one, at) => (one === 0 ? sum : sum + one * Math.log(one / start[at]!)), 0);

/** The distribution of the best of n sentences of the reference; all rewards differ. */
const bestOfN = (n: number): Float64Array => {
  const below = world.rewards.map((own) =>
    start.reduce((sum, one, at) => (world.rewards[at]! < own ? sum + one : sum), 0),
  );
  return start.map((one, at) => (below[at]! + one) ** n - below[at]! ** n);
};

/**
 * Supervised fine-tuning on the best of n sentences of the reference: a converged round of
 * rejection sampling.
 */
function roundOfRaft(n: number): Float64Array {
  const uniform = uniforms(5);
  return tidy(() => {
    const table = fromTypedArray(world.reference).setRequiresGrad();
    const optimiser = new AdamW(new Map([['table', table]]));
    const steps = 150;
    for (let step = 0; step < steps; step++) {
      const drawn = world.draw(start, 2048 * n, uniform);
      const rewards = Float64Array.from(drawn, (one) => world.rewards[one]!);
      const layout = world.layout(drawn, n);
      const kept = keptAnswers(layout, rewards, { most: 1, threshold: null });
      const cells = kept.flatMap((sequence) => world.sentences[drawn[sequence]!]!.cells);
      tidy(() => {
        tokenNll(world.logprobs(table, cells)).mean().backward();
        optimiser.step(0.2 * (1 - step / steps));
        optimiser.zeroGrad();
      });
    }
    optimiser.dispose();
    return world.probabilities(table.detach().toArray());
  });
}

describe('rejection sampling', () => {
  it.each([2, 4])('one round converges to the distribution of the best of %d', (n) => {
    const aim = bestOfN(n);
    const found = roundOfRaft(n);
    const apart = totalVariation(found, aim);
    console.log(
      `RAFT, one round of best of ${n}: ${percent(apart)} from it; KL ${klToStart(found).toFixed(3)}, at most ${bestOfNKl(n).toFixed(3)}`,
    );
    expect(apart).toBeLessThan(0.02);
    expect(totalVariation(start, aim)).toBeGreaterThan(0.1);
    // With few sentences, the bound is not reached.
    expect(klToStart(aim)).toBeLessThan(bestOfNKl(n));
  });

  it('over many rounds it converges to the best sentence: there is no pull towards the reference', () => {
    const raft: WorldAlgorithm = {
      groupSize: 4,
      batch: ({ layout: whole, scores }) => {
        const kept = keptAnswers(whole, scores, { most: 1, threshold: null });
        return ({ layout, policy }) => {
          const marks = new Float64Array(layout.sequences);
          for (const sequence of kept) marks[sequence] = 1;
          const weights = fromTypedArray(layout.spread(marks));
          return tokenNll(policy).mul(weights).sum().div(weights.sum());
        };
      },
    };
    const found = trainSmallWorld(world, raft);
    console.log(`RAFT, many rounds: ${percent(found[best]!)} on the best sentence`);
    expect(found[best]).toBeGreaterThan(0.95);
    expect(start[best]).toBeLessThan(0.2);
  });
});

/** A round of DPO on pairs sampled from the policy, with Bradley-Terry labels. */
function roundOfDpo(from: SmallWorld): { found: Float64Array; next: SmallWorld } {
  let cells = from.reference;
  const dpo: WorldAlgorithm = {
    groupSize: 2,
    batchSize: 2048,
    batch: (batch) => {
      cells = batch.oldCells;
      const { pairs } = bradleyTerryPairs(batch.layout, batch.scores, batch.uniform);
      return worldPairLoss(batch, pairs, beta);
    },
  };
  const found = trainSmallWorld(from, dpo);
  const next = Object.assign(Object.create(SmallWorld.prototype), from, { reference: cells });
  return { found, next };
}

describe('iterative DPO', () => {
  it('k rounds, each starting from the last result, converge to the optimum of beta / k', () => {
    let from = world;
    for (let round = 1; round <= 3; round++) {
      const { found, next } = roundOfDpo(from);
      const apart = totalVariation(found, world.optimum(beta / round));
      console.log(
        `iterative DPO, round ${round}: ${percent(apart)} from pi_ref exp(${round} r/b), KL ${klToStart(found).toFixed(3)}`,
      );
      expect(apart).toBeLessThan(0.02);
      if (round > 1) {
        expect(totalVariation(found, world.optimum(beta / (round - 1)))).toBeGreaterThan(0.04);
      }
      from = next;
    }
  });
});
