import { readTogether, type Tensor } from '@keel/torch';
import { driftOf, driftTensors, samplerMismatch } from '../../objectives/online/policy-drift.ts';
import type { Numbers } from '../../objectives/online/rollout.ts';
import { chosenLogRatio, type PairedScores, rejectedLogRatio } from '../../objectives/paired.ts';
import { mismatchMetrics } from '../../rollouts/rollout-metrics.ts';
import type { Metrics } from '../../training/training-task.ts';
import type { PolicyLoss } from './policy-loss.ts';

const unbounded = { low: 1, high: Number.POSITIVE_INFINITY };

/** Sums over the tokens and pairs of some passes, as plain numbers. */
export interface UpdateSums {
  policyLoss: number;
  /** The critic's, with its weight; null without a critic. */
  value: { loss: number; coefficient: number } | null;
  tokens: number;
  k2: number;
  k3: number;
  clipped: number;
  ratio: number;
  squaredRatio: number;
  entropy: number;
  clips: boolean;
  pairs: { loss: number; chosen: number; rejected: number; right: number } | null;
  mismatch: { sum: number; largest: number } | null;
  /** Weights of tokens or answers that correct for the sampler. */
  correction: { count: number; bounded: number; sum: number; least: number; most: number } | null;
}

/** Sums over the passes of an optimizer step, and their means. */
export class UpdateTotals {
  readonly sums: UpdateSums = {
    ...{ policyLoss: 0, value: null, tokens: 0, k2: 0, k3: 0, clipped: 0 },
    ...{ ratio: 0, squaredRatio: 0, entropy: 0, clips: false, pairs: null, mismatch: null },
    correction: null,
  };
  #pairMetrics: Metrics = {};

  /** @param passes of a step, in order */
  static of(passes: readonly UpdateSums[]): UpdateTotals {
    const totals = new UpdateTotals();
    for (const pass of passes) totals.#add(pass);
    return totals;
  }

  #add({ value, pairs, mismatch, correction, clips, ...numbers }: UpdateSums): void {
    const { sums } = this;
    for (const [name, number] of Object.entries(numbers)) {
      sums[name as keyof typeof numbers] += number;
    }
    sums.clips ||= clips;
    if (value !== null) {
      const { loss, coefficient } = value;
      sums.value = { loss: (sums.value?.loss ?? 0) + loss, coefficient };
    }
    if (pairs !== null) {
      const before = sums.pairs ?? { loss: 0, chosen: 0, rejected: 0, right: 0 };
      sums.pairs = {
        loss: before.loss + pairs.loss,
        chosen: before.chosen + pairs.chosen,
        rejected: before.rejected + pairs.rejected,
        right: before.right + pairs.right,
      };
    }
    if (mismatch !== null) this.#addMismatch(mismatch);
    if (correction !== null) this.#addCorrection(correction);
  }

  /** @param tokens [N] each. @returns the loss */
  addPolicy(
    { policy, old, entropy }: { policy: Tensor; old: Tensor; entropy: Tensor },
    { total, clipping, correction }: PolicyLoss,
  ): number {
    const count = policy.dim(0);
    const { sums } = this;
    const ratio = clipping?.ratio.detach();
    const read = readTogether({
      ...{ total, entropy: entropy.detach().sum(), ...driftTensors(policy, old) },
      ...{ clipped: clipping?.clipped.sum(), ratio: ratio?.sum() },
      squaredRatio: ratio?.square().sum(),
    });
    const loss = read.total[0]!;
    sums.policyLoss += loss;
    sums.tokens += count;
    sums.entropy += read.entropy[0]!;
    const drift = driftOf(read, clipping?.range ?? unbounded);
    sums.k2 += drift.k2 * count;
    sums.k3 += drift.k3 * count;
    if (correction !== undefined) {
      const { units, bounded } = correction;
      this.#addCorrection({
        ...{ count: units.length, bounded },
        sum: units.reduce((all, one) => all + one, 0),
        least: units.reduce((all, one) => Math.min(all, one), Number.POSITIVE_INFINITY),
        most: units.reduce((all, one) => Math.max(all, one), 0),
      });
    }
    if (clipping === undefined) return loss;
    sums.clips = true;
    sums.clipped += read.clipped![0]!;
    sums.ratio += read.ratio![0]!;
    sums.squaredRatio += read.squaredRatio![0]!;
    return loss;
  }

  /** @param total the pass's share of the critic's loss */
  addValue(total: number, coefficient: number): void {
    const before = this.sums.value?.loss ?? 0;
    this.sums.value = { loss: before + total, coefficient };
  }

  /**
   * Adds the sums of a pass of pairs; `endPairs` turns them into means.
   * @param sum of the losses
   * @returns the number in `sum`
   */
  addPairs(
    scores: PairedScores,
    beta: number,
    { policy, old, entropy }: { policy: Tensor; old: Tensor; entropy: Tensor },
    sum: Tensor,
  ): number {
    const read = readTogether({
      ...{ loss: sum, chosen: chosenLogRatio(scores), rejected: rejectedLogRatio(scores) },
      ...{ entropy: entropy.detach().sum(), ...driftTensors(policy, old) },
    });
    const { chosen, rejected } = read;
    const loss = read.loss[0]!;
    const { sums } = this;
    const pairs = sums.pairs ?? { loss: 0, chosen: 0, rejected: 0, right: 0 };
    chosen.forEach((one, pair) => {
      pairs.chosen += beta * one;
      pairs.rejected += beta * rejected[pair]!;
      if (one > rejected[pair]!) pairs.right += 1;
    });
    pairs.loss += loss;
    sums.pairs = pairs;
    const count = policy.dim(0);
    sums.tokens += count;
    sums.entropy += read.entropy[0]!;
    const drift = driftOf(read, unbounded);
    sums.k2 += drift.k2 * count;
    sums.k3 += drift.k3 * count;
    return loss;
  }

  /** @param count number of pairs in the step */
  endPairs(count: number): void {
    const { loss, chosen, rejected, right } = this.sums.pairs!;
    this.sums.policyLoss = loss / count;
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
    this.#addMismatch({ sum: mean * sampler.length, largest });
  }

  #addMismatch({ sum, largest }: NonNullable<UpdateSums['mismatch']>): void {
    const before = this.sums.mismatch ?? { sum: 0, largest: 0 };
    this.sums.mismatch = {
      sum: before.sum + sum,
      largest: Math.max(before.largest, largest),
    };
  }

  #addCorrection(found: NonNullable<UpdateSums['correction']>): void {
    const before = this.sums.correction;
    this.sums.correction =
      before === null
        ? found
        : {
            count: before.count + found.count,
            bounded: before.bounded + found.bounded,
            sum: before.sum + found.sum,
            least: Math.min(before.least, found.least),
            most: Math.max(before.most, found.most),
          };
  }

  /** Mean of r - 1 - log r: how far the policy is from the one that sampled. */
  get drift(): number {
    const { k3, tokens } = this.sums;
    return tokens === 0 ? 0 : k3 / tokens;
  }

  metrics(): Metrics {
    const { sums } = this;
    const { policyLoss, value, tokens } = sums;
    const metrics: Metrics = {
      loss: policyLoss + (value === null ? 0 : value.coefficient * value.loss),
    };
    if (tokens > 0) {
      metrics['loss/policy_avg'] = policyLoss;
      metrics.entropy = sums.entropy / tokens;
      metrics['policy/approxkl_avg'] = sums.k2 / tokens;
    }
    if (sums.clips) {
      metrics['policy/clipfrac_avg'] = sums.clipped / tokens;
      const ratio = sums.ratio / tokens;
      metrics['val/ratio'] = ratio;
      metrics['val/ratio_var'] = Math.max(0, sums.squaredRatio / tokens - ratio * ratio);
    }
    Object.assign(metrics, this.#pairMetrics);
    if (value !== null) metrics['loss/value_avg'] = value.loss;
    if (sums.mismatch !== null) {
      const { sum, largest } = sums.mismatch;
      Object.assign(metrics, mismatchMetrics({ mean: sum / tokens, largest }));
    }
    if (sums.correction !== null) {
      const { count, bounded, sum, least, most } = sums.correction;
      metrics['sampling/importance_sampling_ratio/min'] = least;
      metrics['sampling/importance_sampling_ratio/mean'] = sum / count;
      metrics['sampling/importance_sampling_ratio/max'] = most;
      metrics['sampling/bounded_share'] = bounded / count;
    }
    return metrics;
  }
}
