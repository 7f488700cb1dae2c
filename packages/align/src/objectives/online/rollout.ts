// The memory layout of a batch of rollouts. It contains only scored tokens: those that the policy
// sampled. They form one flat list of N tokens, sequence after sequence, without padding or masks,
// so that no token of the prompt, of a tool result or after the end can enter a mean.
//
// Numbers with a gradient (log-probabilities, values, entropies) are a Tensor [N]. Numbers without
// one (rewards, KL in the reward, advantages, returns) are a Float64Array on the host, where the
// recursions over time are loops in double precision, whatever the model's type. `constantLike`
// converts the second kind to the first.
import { fromTypedArray, ops, type Tensor } from '@keel/torch';

/** Numbers without a gradient. */
export type Numbers = ArrayLike<number>;

/** Which scored tokens belong to which sequence, and which sequences answer the same prompt. */
export class RolloutLayout {
  /** [S + 1]: sequence i is tokens [offsets[i], offsets[i + 1]). */
  readonly offsets: Int32Array;
  /** [S]: sequences of one prompt have the same id. They need not be adjacent. */
  readonly groups: Int32Array;

  private constructor(offsets: Int32Array, groups: Int32Array) {
    this.offsets = offsets;
    this.groups = groups;
  }

  /**
   * @param lengths [S], the scored tokens of each sequence
   * @param groups [S], the prompt of each (default: each has its own prompt)
   * @throws RangeError for no sequences, a sequence without tokens, or a wrong number of groups
   */
  static of(lengths: Numbers, groups?: Numbers): RolloutLayout {
    if (lengths.length === 0) throw new RangeError('a rollout needs at least one sequence');
    const offsets = new Int32Array(lengths.length + 1);
    for (let index = 0; index < lengths.length; index++) {
      const length = lengths[index]!;
      if (!Number.isInteger(length) || length < 1) {
        throw new RangeError(
          `sequence ${index} has ${length} scored tokens but needs at least 1: remove it from the rollout`,
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
  /** The last scored token of a sequence: its end token if it has one. */
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

  /** [N] -> [S], with a gradient. A sequence's sum does not depend on its neighbours. */
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
   * Some sequences as a separate rollout (a minibatch), with the indices of its tokens in this one.
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

/** Numbers as a tensor without gradient, with the type and device of another. */
export const constantLike = (values: Numbers, like: Tensor): Tensor =>
  fromTypedArray(Float64Array.from(values)).to({ dtype: like.dtype, device: like.device });

/** @throws RangeError with both numbers */
export function expectLength(values: Numbers, length: number, what: string, of: string): void {
  if (values.length !== length) {
    throw new RangeError(`${values.length} ${what} for ${length} ${of}`);
  }
}

/**
 * @throws RangeError that names the first infinite number or NaN, such as the reward of a failed
 *   call
 */
export function expectFinite(values: Numbers, what: string): void {
  for (let index = 0; index < values.length; index++) {
    if (!Number.isFinite(values[index]!)) {
      throw new RangeError(
        `${what} ${index} is ${values[index]}: pass a finite number, or remove its sequence from the rollout`,
      );
    }
  }
}
