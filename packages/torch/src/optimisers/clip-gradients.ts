import { noGrad } from '../autograd.ts';
import { stack, zeros } from '../create.ts';
import * as ops from '../ops.generated.ts';
import { keep, tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Scales all gradients so that their joint 2-norm is at most `maximum` (0 or Infinity: no
 * clipping). A parameter that is listed twice counts once.
 * @returns the norm before clipping, in float32 or wider
 * @throws RangeError for a maximum below 0 or NaN
 */
export function clipGradients(parameters: Iterable<Tensor>, maximum: number): number {
  refuseMaximum(maximum);
  return tidy(() =>
    noGrad(() => {
      const gradients = gradientsOf(parameters);
      if (gradients.length === 0) return 0;
      const norm = normOf(gradients).item();
      // PyTorch's clip_grad_norm_ adds the same small number.
      const factor = maximum / (norm + 1e-6);
      if (maximum > 0 && factor < 1) ops.foreachMulScalar_(gradients, factor);
      return norm;
    }),
  );
}

/**
 * As {@link clipGradients}, without waiting for the device of the gradients.
 * @returns the norm before clipping, [] in float32 or wider; the caller frees it
 */
export function clipOnDevice(parameters: Iterable<Tensor>, maximum: number): Tensor {
  refuseMaximum(maximum);
  return tidy(() =>
    noGrad(() => {
      const gradients = gradientsOf(parameters);
      if (gradients.length === 0) return keep(zeros([]));
      const norm = normOf(gradients);
      if (maximum > 0 && Number.isFinite(maximum)) {
        const factor = ops
          .full([], maximum, norm.dtype, norm.device)
          .div(norm.add(1e-6))
          .clamp(null, 1); // []
        const byType = Map.groupBy(gradients, ({ dtype }) => dtype);
        for (const [dtype, own] of byType) ops.foreachMulTensor_(own, factor.to({ dtype }));
      }
      return keep(norm);
    }),
  );
}

const gradientsOf = (parameters: Iterable<Tensor>): Tensor[] =>
  [...new Set(parameters)].map((one) => one.grad).filter((one) => one !== null);

/** Joint 2-norm, [] in float32 or wider. */
function normOf(gradients: readonly Tensor[]): Tensor {
  const wide = gradients.some((one) => one.dtype === 'float64') ? 'float64' : 'float32';
  return ops.linalgVectorNorm(stack(ops.foreachNormScalar(gradients, 2, wide)));
}

function refuseMaximum(maximum: number): void {
  if (!(maximum >= 0)) throw new RangeError(`the maximum norm must be at least 0, got ${maximum}`);
}
