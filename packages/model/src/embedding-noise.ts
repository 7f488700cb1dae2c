// NEFTune (Jain et al. 2023, arXiv:2310.05914, section 2, algorithm 1): noise on the embeddings
// while fine-tuning.
import { fromTypedArray, ops, type Tensor, tidy } from '@keel/torch';
import { ancestors, type PackedBatch } from './packed-batch.ts';

/**
 * Uniform noise in [-1, 1] scaled by alpha / sqrt(L d), drawn from the device's random state.
 * @param batch L is the length of a token's own sequence: its segment and those that it continues.
 *   With padding, L would be the longest row's length
 * @param alpha strength; the paper uses 5, 10 or 15
 * @param embeddings [T, d]
 * @returns [T, d], in the embeddings' type
 */
export function embeddingNoise(batch: PackedBatch, alpha: number, embeddings: Tensor): Tensor {
  const [tokens, size] = embeddings.shape as [number, number];
  const scales = new Float32Array(tokens); // [T]
  batch.segments.forEach(({ start, length }, index) => {
    const before = ancestors(batch.segments, index);
    const whole = before.reduce((sum, one) => sum + batch.segments[one]!.length, length);
    scales.fill(alpha / Math.sqrt(whole * size), start, start + length);
  });
  const { device, dtype } = embeddings;
  return tidy(() => {
    const uniform = ops.rand([tokens, size], 'float32', device).mul(2).sub(1); // [T, d]
    return uniform.mul(fromTypedArray(scales, [tokens, 1]).to({ device })).to(dtype);
  });
}
