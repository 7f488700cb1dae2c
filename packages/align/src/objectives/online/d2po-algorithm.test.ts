// D2PO on the small language of online-algorithms.test.ts: the benefit of a discriminator's labels
// in addition to few gold labels.
import { AdamW, fromTypedArray, type Tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { shuffledOrder } from '../../data/shuffle.ts';
import { bradleyTerry } from '../bradley-terry.ts';
import { indices, SmallWorld } from '../simulation/small-world.ts';
import { trainSmallWorld } from './fixtures/train-small-world.ts';
import { worldPairLoss } from './fixtures/world-pair-loss.ts';
import { chooseGold, goldPairs, goldPairsDue } from './gold-labels.ts';
import { bestAndWorst, type PreferencePair } from './preference-pairs.ts';

const worldOf = (seed: number): SmallWorld => new SmallWorld({ vocabulary: 4, longest: 3, seed });

/** Pairs of sentences, by index in the world. */
type GoldSentences = [better: number, worse: number][];

/** A reward for each sentence, trained with the Bradley-Terry loss on all gold pairs so far. */
class TabularDiscriminator {
  readonly table: Tensor;
  readonly #optimiser: AdamW;

  constructor(sentences: number) {
    this.table = fromTypedArray(new Float64Array(sentences)).keep().setRequiresGrad();
    this.#optimiser = new AdamW(new Map([['table', this.table]]));
  }

  readonly gold: GoldSentences = [];

  scores(drawn: readonly number[]): Float64Array {
    const all = tidy(() => this.table.detach().toArray());
    return Float64Array.from(drawn, (sentence) => all[sentence]!);
  }

  learn(): void {
    tidy(() => {
      const side = (at: 0 | 1): Tensor =>
        this.table.indexSelect(0, indices(this.gold.map((pair) => pair[at])));
      bradleyTerry({ chosen: side(0), rejected: side(1) })
        .mean()
        .backward();
      this.#optimiser.step(0.1);
      this.#optimiser.zeroGrad();
    });
  }

  [Symbol.dispose](): void {
    this.#optimiser.dispose();
    this.table.dispose();
  }
}

/**
 * Like `keel d2po`: two answers per prompt, gold labels for some, silver labels (optional) for the
 * others.
 */
function train(world: SmallWorld, { budget, silver }: { budget: number; silver: boolean }) {
  const warmup = 16;
  using discriminator = new TabularDiscriminator(world.sentences.length);
  const agreements: number[] = [];
  let [batches, labelled] = [0, 0];
  const found = trainSmallWorld(world, {
    ...{ groupSize: 2, batchSize: 64, steps: 120 },
    batch: (batch) => {
      const { layout, drawn, scores } = batch;
      batches += 1;
      const prompts = layout.members().size;
      const sofar = { prompts: batches * prompts, labelled };
      const count = goldPairsDue({ share: 1 / 8, budget }, sofar);
      const before = bestAndWorst(layout, discriminator.scores(drawn), { ties: 'first' }).pairs;
      const order = shuffledOrder(before.length, 5, batches);
      const margins = before.map(({ margin }) => margin);
      const asked = chooseGold(margins, order, { count, how: 'random' }).map((at) => before[at]!);
      labelled += asked.length;
      const gold = goldPairs(asked, new Map([...scores.entries()]));
      if (gold.pairs.length > 0) {
        agreements.push(gold.agreed / gold.pairs.length);
        discriminator.gold.push(
          ...gold.pairs.map(({ chosen, rejected }): [number, number] => [
            drawn[chosen]!,
            drawn[rejected]!,
          ]),
        );
        discriminator.learn();
      }
      const known = new Set(asked.map(({ chosen }) => layout.groups[chosen]!));
      const others = bestAndWorst(layout, discriminator.scores(drawn)).pairs.filter(
        ({ chosen }) => !known.has(layout.groups[chosen]!),
      );
      const ready = silver && discriminator.gold.length >= warmup;
      const pairs: PreferencePair[] = ready ? [...gold.pairs, ...others] : gold.pairs;
      if (pairs.length === 0) return ({ policy }) => policy.sum().mul(0);
      return worldPairLoss(batch, pairs, 0.5);
    },
  });
  const reward = found.reduce((sum, one, at) => sum + one * world.rewards[at]!, 0);
  return { reward, labelled, agreements };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;

describe('D2PO', () => {
  // Not in every language: if early gold labels mislead the discriminator, its labels mislead the
  // policy.
  it('earns more than online DPO with the same few gold labels, on average over several languages', () => {
    const leads = [1, 2, 3, 4, 5, 6].map((seed) => {
      const world = worldOf(seed);
      const gold = train(world, { budget: 24, silver: false });
      const both = train(world, { budget: 24, silver: true });
      expect([gold.labelled, both.labelled]).toEqual([24, 24]);
      const best = Math.max(...world.rewards).toFixed(2);
      console.log(
        `24 gold pairs: reward ${gold.reward.toFixed(3)} with them alone, ${both.reward.toFixed(3)} with silver labels; the best sentence has ${best}`,
      );
      return both.reward - gold.reward;
    });
    expect(mean(leads)).toBeGreaterThan(0.05);
  });

  it('the discriminator soon orders most pairs as gold does', () => {
    const { agreements } = train(worldOf(3), { budget: 400, silver: true });
    console.log(`agreement with gold, before training on a pair: ${mean(agreements).toFixed(2)}`);
    // It starts without any preference.
    expect(agreements[0]).toBe(0.5);
    expect(mean(agreements)).toBeGreaterThan(0.75);
  });
});
