import { noGrad } from '../autograd.ts';
import { stack } from '../create.ts';
import * as ops from '../ops.generated.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Scales all gradients so that their joint 2-norm is at most `maximum` (0 or Infinity: no
 * clipping). A parameter that is listed twice counts once.
 * @returns the norm before clipping, in float32 or wider
 * @throws RangeError for a maximum below 0 or NaN
 */
export function clipGradients(parameters: Iterable<Tensor>, maximum: number): number {
  if (!(maximum >= 0)) throw new RangeError(`the maximum norm must be at least 0, got ${maximum}`);
  return tidy(() =>
    noGrad(() => {
      const gradients = [...new Set(parameters)]
        .map((one) => one.grad)
        .filter((one) => one !== null);
      if (gradients.length === 0) return 0;
      const wide = gradients.some((one) => one.dtype === 'float64') ? 'float64' : 'float32';
      const norm = ops.linalgVectorNorm(stack(ops.foreachNormScalar(gradients, 2, wide))).item();
      // PyTorch's clip_grad_norm_ adds the same small number.
      const factor = maximum / (norm + 1e-6);
      if (maximum > 0 && factor < 1) ops.foreachMulScalar_(gradients, factor);
      return norm;
    }),
  );
}
