import { setImmediate as letOthersIn } from 'node:timers/promises';
import { noGrad, phase, Recomputation, type Tensor, tidy } from '@keel/torch';

export interface PassKind {
  /** What the sum of losses is divided by before its gradient is added; null: no gradient is wanted. */
  divisor: number | null;
  /** Whether activations are computed again in backward. */
  recomputes: boolean;
}

/**
 * One pass forward and, where a gradient is wanted, backward. The event loop turns after each, so that signals and threads are
 * heard; where activations are computed again, after both.
 * @param forward gives the sum of the pass's losses; what it makes beside that is freed
 */
export async function runPass(
  forward: (recomputation: Recomputation | null) => Tensor,
  { divisor, recomputes }: PassKind,
): Promise<void> {
  if (divisor !== null && recomputes) {
    // Backward uses again what the blocks have in common, such as their rotations: one scope holds both.
    tidy(() => {
      using recomputation = new Recomputation();
      const total = phase('forward', () => forward(recomputation));
      phase('backward', () => recomputation.backward(total.div(divisor)));
    });
    await letOthersIn();
    return;
  }
  const compute = (): Tensor => tidy(() => forward(null));
  // Autograd keeps what backward needs of the forward pass.
  using total = phase('forward', () => (divisor !== null ? compute() : noGrad(compute)));
  await letOthersIn();
  if (divisor === null) return;
  phase('backward', () => tidy(() => total.div(divisor).backward()));
  await letOthersIn();
}
