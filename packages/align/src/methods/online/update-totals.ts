import type { Tensor } from '@keel/torch';
import { policyDrift, samplerMismatch } from '../../objectives/online/policy-drift.ts';
import type { Numbers } from '../../objectives/online/rollout.ts';
import { chosenLogRatio, type PairedScores, rejectedLogRatio } from '../../objectives/paired.ts';
import { mismatchMetrics } from '../../rollouts/rollout-metrics.ts';
import type { Metrics } from '../../training/training-task.ts';
import type { PolicyLoss } from './policy-loss.ts';

const unbounded = { low: 1, high: Number.POSITIVE_INFINITY };

/** Sums over the passes of an optimizer step, and their means. */
export class UpdateTotals {
  #policyLoss = 0;
  /** The critic's, with its weight; null without a critic. */
  #value: { loss: number; coefficient: number } | null = null;
  #tokens = 0;
  #sums = { k2: 0, k3: 0, clipped: 0, ratio: 0, squaredRatio: 0, entropy: 0 };
  #clips = false;
  #pairs: { loss: number; chosen: number; rejected: number; right: number } | null = null;
  #pairMetrics: Metrics = {};
  #mismatch: { sum: number; largest: number } | null = null;

  /** @param tokens [N] each */
  addPolicy(
    { policy, old, entropy }: { policy: Tensor; old: Tensor; entropy: Tensor },
    { total, clipping }: PolicyLoss,
  ): void {
    const count = policy.dim(0);
    const sums = this.#sums;
    this.#policyLoss += total.item();
    this.#tokens += count;
    sums.entropy += entropy.detach().sum().item();
    const drift = policyDrift(policy, old, clipping?.range ?? unbounded);
    sums.k2 += drift.k2 * count;
    sums.k3 += drift.k3 * count;
    if (clipping === undefined) return;
    this.#clips = true;
    sums.clipped += clipping.clipped.sum().item();
    sums.ratio += clipping.ratio.detach().sum().item();
    sums.squaredRatio += clipping.ratio.detach().square().sum().item();
  }

  /** @param total scalar: the pass's share of the critic's loss */
  addValue(total: Tensor, coefficient: number): void {
    this.#value = { loss: (this.#value?.loss ?? 0) + total.item(), coefficient };
  }

  /** Adds the sums of a pass of pairs; `endPairs` turns them into means. */
  addPairs(
    scores: PairedScores,
    beta: number,
    { policy, old, entropy }: { policy: Tensor; old: Tensor; entropy: Tensor },
    loss: number,
  ): void {
    const numbers = (one: Tensor): number[] => one.detach().toArray();
    const chosen = numbers(chosenLogRatio(scores));
    const rejected = numbers(rejectedLogRatio(scores));
    const sums = this.#pairs ?? { loss: 0, chosen: 0, rejected: 0, right: 0 };
    chosen.forEach((one, pair) => {
      sums.chosen += beta * one;
      sums.rejected += beta * rejected[pair]!;
      if (one > rejected[pair]!) sums.right += 1;
    });
    sums.loss += loss;
    this.#pairs = sums;
    const count = policy.dim(0);
    this.#tokens += count;
    this.#sums.entropy += entropy.detach().sum().item();
    const drift = policyDrift(policy, old, unbounded);
    this.#sums.k2 += drift.k2 * count;
    this.#sums.k3 += drift.k3 * count;
  }

  /** @param count number of pairs in the step */
  endPairs(count: number): void {
    const { loss, chosen, rejected, right } = this.#pairs!;
    this.#policyLoss = loss / count;
    this.#pairMetrics = {
      'rewards/chosen': chosen / count,
      'rewards/rejected': rejected / count,
      'rewards/margins': (chosen - rejected) / count,
      'rewards/accuracies': right / count,
    };
  }

  /** For a step that uses its own log-probabilities as those of the policy that sampled. */
  addMismatch(sampler: Numbers, trainer: Numbers): void {
    const { mean, largest } = samplerMismatch(sampler, trainer);
    const before = this.#mismatch ?? { sum: 0, largest: 0 };
    this.#mismatch = {
      sum: before.sum + mean * sampler.length,
      largest: Math.max(before.largest, largest),
    };
  }

  /** Mean of r - 1 - log r: how far the policy is from the one that sampled. */
  get drift(): number {
    return this.#tokens === 0 ? 0 : this.#sums.k3 / this.#tokens;
  }

  metrics(): Metrics {
    const [policyLoss, value] = [this.#policyLoss, this.#value];
    const metrics: Metrics = {
      loss: policyLoss + (value === null ? 0 : value.coefficient * value.loss),
    };
    const [tokens, sums] = [this.#tokens, this.#sums];
    if (tokens > 0) {
      metrics['loss/policy_avg'] = policyLoss;
      metrics.entropy = sums.entropy / tokens;
      metrics['policy/approxkl_avg'] = sums.k2 / tokens;
    }
    if (this.#clips) {
      metrics['policy/clipfrac_avg'] = sums.clipped / tokens;
      const ratio = sums.ratio / tokens;
      metrics['val/ratio'] = ratio;
      metrics['val/ratio_var'] = Math.max(0, sums.squaredRatio / tokens - ratio * ratio);
    }
    Object.assign(metrics, this.#pairMetrics);
    if (value !== null) metrics['loss/value_avg'] = value.loss;
    if (this.#mismatch !== null) {
      const { sum, largest } = this.#mismatch;
      Object.assign(metrics, mismatchMetrics({ mean: sum / tokens, largest }));
    }
    return metrics;
  }
}
