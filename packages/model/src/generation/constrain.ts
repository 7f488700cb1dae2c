// Constraints of the samples in a batch, as one mask of their logits.
import { fromTypedArray, ops, type Tensor } from '@keel/torch';
import type { Sequence } from './sequence.ts';

/**
 * Sets the logits of tokens that a sample's constraint does not allow to -Infinity, in place where
 * the device allows it: [B, vocabulary] float32 -> the same.
 */
export function maskLogits(logits: Tensor, sequences: readonly Sequence[]): Tensor {
  if (sequences.every(({ constraint }) => constraint === null)) return logits;
  const [count, size] = logits.shape as [number, number];
  const words = Math.ceil(size / 32);
  // Bit (t % 32) of word floor(t / 32) of a row: whether token t may follow.
  const masks = new Int32Array(count * words).fill(-1);
  for (const [row, { constraint, options, left }] of sequences.entries()) {
    const own = masks.subarray(row * words, (row + 1) * words);
    constraint?.allowed(own, options.completeConstraint ? left : undefined);
  }
  if (logits.device === 'cpu' && logits.dtype === 'float32') {
    return ops.maskLogits_(logits.contiguous(), fromTypedArray(masks, [count, words]));
  }
  return maskLogitsComposed(logits, masks);
}

/** {@link maskLogits} on any device. */
export function maskLogitsComposed(logits: Tensor, masks: Int32Array): Tensor {
  const [count, size] = logits.shape as [number, number];
  const words = masks.length / count;
  const excluded = new Uint8Array(count * size);
  for (let row = 0; row < count; row++) {
    for (let token = 0; token < size; token++) {
      const word = masks[row * words + (token >> 5)]!;
      excluded[row * size + token] = ((word >> (token & 31)) & 1) ^ 1;
    }
  }
  const marks = fromTypedArray(excluded, [count, size], { device: logits.device });
  return logits.maskedFill(marks.gt(0), Number.NEGATIVE_INFINITY);
}
