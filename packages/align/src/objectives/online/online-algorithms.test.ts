// Every online algorithm on a language so small that its optimum is known: 40 sentences with a
// vocabulary of 4, and a single-token language for algorithms with a different fixed point by
// design. Two measures, both to 2%: the total variation between the algorithm's result and its
// fixed point, and the share of the possible gain in E[r] - b KL that it achieved.
import { fromTypedArray, type Tensor } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { RunningBaseline } from '../../methods/reinforce/running-baseline.ts';
import {
  forwardKlOptimum,
  indices,
  SmallWorld,
  scaledOptimum,
  tokenwiseOptimum,
  totalVariation,
} from '../simulation/small-world.ts';
import { clippedSurrogate } from './clipped-surrogate.ts';
import {
  trainSmallWorld,
  type WorldAlgorithm,
  type WorldBatch,
  type WorldLoss,
} from './fixtures/train-small-world.ts';
import { worldPairLoss } from './fixtures/world-pair-loss.ts';
import { generalisedAdvantages } from './gae.ts';
import { greedyBaselineAdvantages } from './greedy-baseline.ts';
import {
  type AdvantageScaling,
  groupAdvantages,
  leaveOneOutAdvantages,
} from './group-advantages.ts';
import { importanceRatio, type RatioLevel } from './importance-ratio.ts';
import { type KlEstimator, klLoss, klPerToken } from './kl-estimators.ts';
import {
  type LossReduction,
  lossReductions,
  reduceLoss,
  reductionWeights,
} from './loss-reductions.ts';
import { bestAndWorst, bradleyTerryPairs, type PreferencePairs } from './preference-pairs.ts';
import { batchBaselineAdvantages, reinforceLoss } from './reinforce.ts';
import type { Numbers } from './rollout.ts';
import { sequenceRewards, tokenRewards } from './token-rewards.ts';
import { valueLoss } from './value-loss.ts';
import { whiten } from './whitening.ts';

const beta = 0.5;
const sentences = new SmallWorld({ vocabulary: 4, longest: 3, seed: 3 });
const words = new SmallWorld({ vocabulary: 5, longest: 1, seed: 11 });
const best = words.rewards.indexOf(Math.max(...words.rewards));

const pick = (values: Numbers, places: ArrayLike<number>): Tensor =>
  fromTypedArray(Float64Array.from(places, (place) => values[place]!));

/** -A log p summed over sentences, with advantages from rewards that include the KL. */
const policyGradient = (advantagesOf: (rewards: Float64Array, batch: WorldBatch) => Numbers) => ({
  batch: (batch: WorldBatch): WorldLoss => {
    const rewards = sequenceRewards(batch.layout, batch.scores, batch.kl, beta);
    const advantages = batch.layout.spread(advantagesOf(rewards, batch));
    return ({ layout, tokens, policy }) =>
      reduceLoss(
        reinforceLoss(policy, pick(advantages, tokens)),
        reductionWeights(layout, 'sequence_sum'),
      );
  },
});

/** Clipped ratios in two epochs of two minibatches, with the KL in the reward. */
const surrogate = (
  advantagesOf: (rewards: Float64Array, batch: WorldBatch) => Numbers,
  level: RatioLevel,
  reduction: LossReduction,
): WorldAlgorithm => ({
  epochs: 2,
  minibatches: 2,
  learningRate: 0.05,
  batch: (batch) => {
    const rewards = sequenceRewards(batch.layout, batch.scores, batch.kl, beta);
    const advantages = batch.layout.spread(advantagesOf(rewards, batch));
    return ({ layout, tokens, policy }) => {
      const ratio = importanceRatio(layout, { policy, old: pick(batch.old, tokens) }, level);
      const { loss } = clippedSurrogate(ratio, pick(advantages, tokens), { low: 0.2, high: 0.2 });
      return reduceLoss(loss, reductionWeights(layout, reduction, { maxTokens: 3 }));
    };
  },
});

const greedyReward = ({ world, oldCells }: WorldBatch): number => {
  const referenceCells = world.cellLogprobs(world.reference);
  const greedy = world.sentences.findIndex(({ cells }) =>
    cells.every((cell) => {
      const row = cell - (cell % world.vocabulary);
      return oldCells.subarray(row, row + world.vocabulary).every((one) => one <= oldCells[cell]!);
    }),
  );
  const kl = world.sentences[greedy]!.cells.reduce(
    (sum, cell) => sum + oldCells[cell]! - referenceCells[cell]!,
    0,
  );
  return world.rewards[greedy]! - beta * kl;
};

const ppo: WorldAlgorithm = {
  epochs: 2,
  minibatches: 2,
  learningRate: 0.05,
  batch: (batch, critic) => {
    const rewards = tokenRewards(batch.layout, batch.scores, batch.kl, beta);
    const values = Float64Array.from(batch.states, (state) => critic[state]!);
    const found = generalisedAdvantages(
      batch.layout,
      { rewards, values },
      { gamma: 1, lambda: 0.95 },
    );
    const advantages = whiten(found.advantages);
    return ({ layout, tokens, policy, critic: table }) => {
      const weights = reductionWeights(layout, 'dapo');
      const ratio = importanceRatio(layout, { policy, old: pick(batch.old, tokens) }, 'token');
      const { loss } = clippedSurrogate(ratio, pick(advantages, tokens), { low: 0.2, high: 0.2 });
      const now = table.indexSelect(0, indices(Array.from(tokens, (at) => batch.states[at]!)));
      const value = valueLoss(
        { values: now, returns: pick(found.returns, tokens), old: pick(values, tokens) },
        0.2,
      );
      return reduceLoss(loss.add(value), weights);
    };
  },
};

const onlineDpo = (pairsOf: (batch: WorldBatch) => PreferencePairs): WorldAlgorithm => ({
  groupSize: 2,
  batchSize: 2048,
  batch: (batch) => worldPairLoss(batch, pairsOf(batch).pairs, beta),
});

const grpo = (rewards: Float64Array, { layout }: WorldBatch): Numbers =>
  groupAdvantages(layout, rewards).advantages;

const algorithms = (): [string, WorldAlgorithm][] => [
  ['PPO', ppo],
  ['REINFORCE, batch baseline', policyGradient((rewards) => batchBaselineAdvantages(rewards))],
  [
    'REINFORCE, running baseline',
    ((baseline) => policyGradient((rewards) => baseline.advantages(rewards)))(
      new RunningBaseline(),
    ),
  ],
  [
    'RLOO',
    policyGradient((rewards, { layout }) => leaveOneOutAdvantages(layout, rewards).advantages),
  ],
  [
    'RLOO, clipped ratio of whole sequences (TRL)',
    surrogate(
      (rewards, { layout }) => leaveOneOutAdvantages(layout, rewards).advantages,
      'sequence_product',
      'sequence_sum',
    ),
  ],
  [
    'ReMax',
    policyGradient((rewards, batch) =>
      greedyBaselineAdvantages(
        batch.layout,
        rewards,
        new Map(Array.from(batch.layout.groups, (group) => [group, greedyReward(batch)])),
      ),
    ),
  ],
  ...lossReductions
    .filter((reduction) => reduction !== 'sequence_sum')
    .map((reduction): [string, WorldAlgorithm] => [
      `GRPO, ${reduction}`,
      surrogate(grpo, 'token', reduction),
    ]),
  [
    'GRPO, batch scaling',
    surrogate(
      (rewards, { layout }) => groupAdvantages(layout, rewards, { scaling: 'batch' }).advantages,
      'token',
      'grpo',
    ),
  ],
  ['GSPO', surrogate(grpo, 'sequence', 'grpo')],
  ['GSPO-token', surrogate(grpo, 'sequence_token', 'grpo')],
  [
    'Online DPO, Bradley-Terry labels',
    onlineDpo(({ layout, scores, uniform }) => bradleyTerryPairs(layout, scores, uniform)),
  ],
];

const gain = (found: Float64Array, world: SmallWorld): number => {
  const start = world.objective(world.probabilities(world.reference), beta);
  const most = world.objective(world.optimum(beta), beta);
  return (world.objective(found, beta) - start) / (most - start);
};

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

const report = (name: string, found: Float64Array, aim: Float64Array): void =>
  console.log(`${name}: ${percent(totalVariation(found, aim))} from its fixed point`);

describe('with the KL in the reward, the optimum is pi_ref exp(r/b)', () => {
  it.each(algorithms())('%s', (name, algorithm) => {
    const found = trainSmallWorld(sentences, algorithm);
    const optimum = sentences.optimum(beta);
    report(name, found, optimum);
    console.log(`${name}: ${percent(gain(found, sentences))} of the possible gain in E[r] - b KL`);
    expect(totalVariation(found, optimum)).toBeLessThan(0.02);
    expect(gain(found, sentences)).toBeGreaterThan(0.98);
    // It did not start there.
    expect(totalVariation(sentences.probabilities(sentences.reference), optimum)).toBeGreaterThan(
      0.2,
    );
  });
});

/**
 * TRL's GRPO: rewards without KL, a KL term added to each token's loss. One group, so that there is
 * no noise of small groups.
 */
const grpoWithKlLoss = (
  estimator: KlEstimator,
  scaling: AdvantageScaling,
  { corrected = false, coefficient = beta } = {},
): WorldAlgorithm => ({
  groupSize: 512,
  batch: ({ layout: whole, scores, old, reference }) => {
    const { advantages } = groupAdvantages(whole, scores, { scaling });
    const spread = whole.spread(advantages);
    return ({ layout, tokens, policy }) => {
      const ratio = importanceRatio(layout, { policy, old: pick(old, tokens) }, 'token');
      const { loss } = clippedSurrogate(ratio, pick(spread, tokens), { low: 0.2, high: 0.2 });
      const terms = { policy, reference: pick(reference, tokens) };
      const kl = klLoss(
        estimator,
        corrected ? { ...terms, importance: ratio } : terms,
        coefficient,
      );
      return reduceLoss(loss.add(kl), reductionWeights(layout, 'sequence_sum'));
    };
  },
});

describe('with KL as a loss term, each estimator has the fixed point of its gradient', () => {
  const reverse = words.optimum(beta);
  const forward = forwardKlOptimum(words, beta);
  const strong = 2;
  const scaled = scaledOptimum(words, strong, 1e-4);
  const one: [string, WorldAlgorithm, Float64Array][] = [
    ['k2: KL(pi || ref)', grpoWithKlLoss('k2', 'none'), reverse],
    ['k3: KL(ref || pi)', grpoWithKlLoss('k3', 'none'), forward],
    [
      'k3 with the importance ratio: KL(pi || ref)',
      grpoWithKlLoss('k3', 'none', { corrected: true }),
      reverse,
    ],
    [
      'k1 with the importance ratio: KL(pi || ref)',
      grpoWithKlLoss('k1', 'none', { corrected: true }),
      reverse,
    ],
    [
      'k2, rewards divided by their std: b times the std',
      grpoWithKlLoss('k2', 'group', { coefficient: strong }),
      scaled,
    ],
    [
      'k2, rewards divided by the std of the batch: the same',
      grpoWithKlLoss('k2', 'batch', { coefficient: strong }),
      scaled,
    ],
  ];
  it.each(one)('%s', (name, algorithm, aim) => {
    const found = trainSmallWorld(words, algorithm);
    report(name, found, aim);
    expect(totalVariation(found, aim)).toBeLessThan(0.02);
  });

  it('these fixed points differ, so the test can distinguish them', () => {
    expect(totalVariation(reverse, forward)).toBeGreaterThan(0.05);
    expect(totalVariation(words.optimum(strong), scaled)).toBeGreaterThan(0.05);
  });

  it('with rewards divided by their std and a small coefficient the policy collapses onto the best', () => {
    const found = trainSmallWorld(words, grpoWithKlLoss('k2', 'group'));
    console.log(
      `GRPO, rewards divided by their std, small b: ${percent(found[best]!)} on the best word`,
    );
    expect(found[best]).toBeGreaterThan(0.95);
  });

  it('over several tokens k2 ignores the KL of later tokens', () => {
    const aim = tokenwiseOptimum(sentences, beta);
    const found = trainSmallWorld(sentences, grpoWithKlLoss('k2', 'none'));
    report('k2 as a loss of several tokens', found, aim);
    const apart = totalVariation(aim, sentences.optimum(beta));
    console.log(`k2 as a loss of several tokens: that is ${percent(apart)} from the optimum`);
    expect(totalVariation(found, aim)).toBeLessThan(0.02);
    expect(apart).toBeGreaterThan(0.02);
  });

  it('k1 alone does not constrain the policy: all mass goes to the best (allenai/open-instruct#534)', () => {
    const found = trainSmallWorld(words, {
      groupSize: 512,
      batch: ({ layout: whole, scores, reference }) => {
        const spread = whole.spread(groupAdvantages(whole, scores, { scaling: 'none' }).advantages);
        return ({ layout, tokens, policy }) =>
          reduceLoss(
            reinforceLoss(policy, pick(spread, tokens)).add(
              klPerToken('k1', policy, pick(reference, tokens)).mul(beta),
            ),
            reductionWeights(layout, 'grpo'),
          );
      },
    });
    console.log(`k1 as a loss: ${percent(found[best]!)} on the best word`);
    expect(found[best]).toBeGreaterThan(0.98);
  });
});

describe('online DPO with labels by rank', () => {
  it('has its only optimum at all mass on the best', () => {
    const found = trainSmallWorld(words, {
      ...onlineDpo(({ layout, scores }) => bestAndWorst(layout, scores)),
      steps: 600,
      learningRate: 0.3,
    });
    console.log(
      `Online DPO, labels by rank: ${percent(found[best]!)} on the best word, ${percent(words.optimum(beta)[best]!)} at the optimum`,
    );
    expect(found[best]).toBeGreaterThan(0.98);
    expect(words.optimum(beta)[best]).toBeLessThan(0.9);
  });
});
