import { native } from './native.ts';
import { onesLike, randnLike } from './random-like.ts';
import { refusePromise } from './refuse-promise.ts';
import { tidy } from './scope.ts';
import { Tensor } from './tensor.ts';

/**
 * Runs `body` without recording gradients. Synchronous only.
 * @throws Error if `body` returns a promise
 */
export function noGrad<T>(body: () => T): T {
  const before = native.setGradEnabled(false);
  try {
    return refusePromise(body(), 'noGrad');
  } finally {
    native.setGradEnabled(before);
  }
}

/**
 * d output / d input for each input, without changing their `grad`.
 * @param seed shape of `output` (default: ones)
 * @returns null for an input that the output does not depend on
 */
export function gradients(
  output: Tensor,
  inputs: readonly Tensor[],
  seed?: Tensor,
): (Tensor | null)[] {
  const start = seed ?? onesLike(output);
  const found = native.gradients(
    [output.handle],
    inputs.map((input) => input.handle),
    [start.handle],
  );
  if (seed === undefined) start.dispose();
  return found.map((handle) => (handle === null ? null : new Tensor(handle)));
}

/** How gradients are compared with differences. */
export interface GradcheckOptions {
  /** Step size of the central differences. */
  step?: number;
  absolute?: number;
  relative?: number;
}

/**
 * Compares the gradients of `body` with central differences in float64, along every coordinate.
 * @param inputs float64 tensors; those that require a gradient are checked
 * @throws Error naming the input, the element and both numbers if they differ
 */
export function gradcheck(
  body: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { step = 1e-6, absolute = 1e-7, relative = 1e-5 }: GradcheckOptions = {},
): void {
  tidy(() => {
    for (const input of inputs) {
      if (input.requiresGrad && input.dtype !== 'float64') {
        throw new Error(`gradcheck needs float64 inputs, got ${input.dtype}`);
      }
    }
    const output = body(...inputs);
    // A random projection checks all outputs in one backward pass.
    const seed = noGrad(() => randnLike(output));
    const checked = inputs.filter((input) => input.requiresGrad);
    if (checked.length === 0) throw new Error('gradcheck: no input requires a gradient');
    const analytic = gradients(output, checked, seed);
    const project = (): number =>
      tidy(() =>
        noGrad(() =>
          body(...inputs)
            .mul(seed)
            .sum()
            .item(),
        ),
      );
    checked.forEach((input, which) => {
      const expected =
        (analytic[which] ?? null)?.toArray() ?? new Array<number>(input.size).fill(0);
      const flat = noGrad(() => input.detach().view(-1));
      for (let element = 0; element < input.size; element++) {
        const at = flat.select(0, element);
        const original = at.item();
        at.fill_(original + step);
        const above = project();
        at.fill_(original - step);
        const below = project();
        at.fill_(original);
        const numeric = (above - below) / (2 * step);
        const given = expected[element] ?? Number.NaN;
        if (!(Math.abs(numeric - given) <= absolute + relative * Math.abs(numeric))) {
          throw new Error(
            `gradient of input ${inputs.indexOf(input)}, element ${element}: backward gives ${given}, central differences give ${numeric}`,
          );
        }
      }
    });
  });
}
