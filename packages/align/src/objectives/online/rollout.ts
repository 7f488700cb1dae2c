// How a batch of rollouts lies in memory. Only scored tokens exist: those the policy sampled. They
// are one flat list of N, sequence after sequence; there is no padding and no mask, so nothing
// after the end, of the prompt or of a tool's answer can enter a mean.
//
// What carries a gradient (log-probabilities, values, entropies) is a Tensor [N]. What carries none
// (rewards, KL in the reward, advantages, returns) is a Float64Array on the host: the recursions
// over time are loops there, in double precision whatever the model's type. `constantLike` is the
// one way from the second to the first.
import { fromTypedArray, ops, type Tensor } from '@keel/torch';

/** Numbers that carry no gradient. */
export type Numbers = ArrayLike<number>;

/** Which scored tokens belong to which sequence, and which sequences answer the same prompt. */
export class RolloutLayout {
  /** [S + 1]: sequence i is tokens [offsets[i], offsets[i + 1]). */
  readonly offsets: Int32Array;
  /** [S]: sequences of one prompt have one id. They need not stand beside each other. */
  readonly groups: Int32Array;

  private constructor(offsets: Int32Array, groups: Int32Array) {
    this.offsets = offsets;
    this.groups = groups;
  }

  /**
   * @param lengths [S], the scored tokens of each sequence
   * @param groups [S], the prompt of each; none: each has a prompt of its own
   * @throws RangeError for no sequence, one without tokens, or another number of groups
   */
  static of(lengths: Numbers, groups?: Numbers): RolloutLayout {
    if (lengths.length === 0) throw new RangeError('a rollout needs at least one sequence');
    const offsets = new Int32Array(lengths.length + 1);
    for (let index = 0; index < lengths.length; index++) {
      const length = lengths[index]!;
      if (!Number.isInteger(length) || length < 1) {
        throw new RangeError(
          `sequence ${index} has ${length} scored tokens; it needs at least 1: leave it out of the rollout`,
        );
      }
      offsets[index + 1] = offsets[index]! + length;
    }
    const ids = groups ?? Int32Array.from(lengths, (_, index) => index);
    expectLength(ids, lengths.length, 'group ids', 'sequences');
    return new RolloutLayout(offsets, Int32Array.from(ids));
  }

  /** S */
  get sequences(): number {
    return this.groups.length;
  }
  /** N */
  get tokens(): number {
    return this.offsets[this.sequences]!;
  }
  /** [S] */
  get lengths(): Int32Array {
    return Int32Array.from(this.groups, (_, index) => this.lengthOf(index));
  }
  lengthOf(sequence: number): number {
    return this.offsets[sequence + 1]! - this.offsets[sequence]!;
  }
  /** The last scored token of a sequence: its end token where it has one. */
  lastOf(sequence: number): number {
    return this.offsets[sequence + 1]! - 1;
  }

  /** The sequences of each prompt, prompts in the order of their first sequence. */
  members(): Map<number, number[]> {
    const found = new Map<number, number[]>();
    this.groups.forEach((group, sequence) => {
      const members = found.get(group);
      if (members === undefined) found.set(group, [sequence]);
      else members.push(sequence);
    });
    return found;
  }

  /** [N] -> [S] */
  sums(values: Numbers): Float64Array {
    expectLength(values, this.tokens, 'values', 'scored tokens');
    const sums = new Float64Array(this.sequences);
    for (let sequence = 0; sequence < this.sequences; sequence++) {
      const end = this.offsets[sequence + 1]!;
      for (let token = this.offsets[sequence]!; token < end; token++) {
        sums[sequence]! += values[token]!;
      }
    }
    return sums;
  }
  /** [N] -> [S] */
  means(values: Numbers): Float64Array {
    return this.sums(values).map((sum, sequence) => sum / this.lengthOf(sequence));
  }
  /** [S] -> [N]: each token gets its sequence's number. */
  spread(values: Numbers): Float64Array {
    expectLength(values, this.sequences, 'values', 'sequences');
    const spread = new Float64Array(this.tokens);
    for (let sequence = 0; sequence < this.sequences; sequence++) {
      spread.fill(values[sequence]!, this.offsets[sequence], this.offsets[sequence + 1]);
    }
    return spread;
  }

  /**
   * [N] -> [S], with a gradient. A sequence is summed in the same order whatever lies beside it.
   */
  sumOver(values: Tensor): Tensor {
    return ops.segmentReduce(values, 'sum', this.#lengthsOn(values)); // [S]
  }
  /** [N] -> [S], with a gradient */
  meanOver(values: Tensor): Tensor {
    return this.sumOver(values).div(constantLike(Float64Array.from(this.lengths), values));
  }
  /** [S] -> [N], with a gradient */
  spreadOver(values: Tensor): Tensor {
    const index = ops.repeatInterleaveTensor(this.#lengthsOn(values), this.tokens); // [N]
    return values.indexSelect(0, index);
  }

  /**
   * Some sequences as a rollout of their own (a minibatch), and where its tokens are in this one.
   */
  select(sequences: readonly number[]): { layout: RolloutLayout; tokens: Int32Array } {
    const layout = RolloutLayout.of(
      sequences.map((sequence) => this.lengthOf(sequence)),
      sequences.map((sequence) => this.groups[sequence]!),
    );
    const tokens = Int32Array.from(
      sequences.flatMap((sequence) =>
        Array.from({ length: this.lengthOf(sequence) }, (_, at) => this.offsets[sequence]! + at),
      ),
    );
    return { layout, tokens };
  }

  #lengthsOn(like: Tensor): Tensor {
    const lengths = fromTypedArray(BigInt64Array.from(this.lengths, BigInt));
    return like.device === 'cpu' ? lengths : lengths.to({ device: like.device });
  }
}

/** Numbers as a tensor of the type and device of another, without a gradient. */
export const constantLike = (values: Numbers, like: Tensor): Tensor =>
  fromTypedArray(Float64Array.from(values)).to({ dtype: like.dtype, device: like.device });

/** @throws RangeError naming both numbers */
export function expectLength(values: Numbers, length: number, what: string, of: string): void {
  if (values.length !== length) {
    throw new RangeError(`${values.length} ${what} for ${length} ${of}`);
  }
}

/**
 * @throws RangeError naming the first number that is infinite or NaN, as a reward that failed would
 *   be
 */
export function expectFinite(values: Numbers, what: string): void {
  for (let index = 0; index < values.length; index++) {
    if (!Number.isFinite(values[index]!)) {
      throw new RangeError(
        `${what} ${index} is ${values[index]}: give it a number, or leave its sequence out of the rollout`,
      );
    }
  }
}
