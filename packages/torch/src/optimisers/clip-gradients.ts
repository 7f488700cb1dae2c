import { noGrad } from '../autograd.ts';
import { stack } from '../create.ts';
import * as ops from '../ops.generated.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Scales all gradients so that their joint 2-norm is at most `maximum` (0 or Infinity: leaves them).
 * @returns the norm before
 */
export function clipGradients(parameters: Iterable<Tensor>, maximum: number): number {
  return tidy(() =>
    noGrad(() => {
      const gradients = [...parameters].map((one) => one.grad).filter((one) => one !== null);
      if (gradients.length === 0) return 0;
      const norms = ops.foreachNormScalar(gradients).map((one) => one.to('float32'));
      const norm = ops.linalgVectorNorm(stack(norms)).item();
      // The same small number as PyTorch's clip_grad_norm_ adds.
      if (maximum > 0 && norm > maximum) ops.foreachMulScalar_(gradients, maximum / (norm + 1e-6));
      return norm;
    }),
  );
}
