import { describe, expect, it } from 'vitest';
import { randn } from './create.ts';
import type { DType } from './dtype.ts';
import * as ops from './ops.generated.ts';
import { manualSeed } from './random.ts';
import { memory, tidy } from './scope.ts';
import { setThreads } from './system.ts';
import type { Tensor } from './tensor.ts';

setThreads(1);

type Gate = 'swiglu' | 'geglu';

/**
 * Gradients of x and of the weights of a gated MLP after a norm, and the bytes of its activations
 * after forward.
 */
function trained(
  dtype: DType,
  kind: Gate,
  released: boolean,
): { gradients: number[][]; bytes: number } {
  return tidy(() => {
    manualSeed(3);
    const leaf = (...shape: number[]): Tensor => randn(shape).to(dtype).detach().setRequiresGrad();
    const [x, weight, gate, up, down] = [
      leaf(9, 8),
      leaf(8),
      leaf(12, 8),
      leaf(12, 8),
      leaf(8, 12),
    ];
    const before = memory().bytes;
    const normed = ops.rmsNorm(x!, weight!, 1e-5);
    const [gated, raised] = [normed.linear(gate!), normed.linear(up!)];
    const silu = kind === 'swiglu';
    const product = silu ? ops.swiglu(gated, raised) : ops.geglu(gated, raised, 'tanh');
    let y = product.linear(down!);
    if (released) {
      y = silu
        ? ops.releaseSwiglu(y, product, gated, raised)
        : ops.releaseGeglu(y, product, gated, raised, 'tanh');
      y = ops.releaseRmsNorm(y, normed, x!, weight!, 1e-5);
    }
    const bytes = memory().bytes - before;
    y.square().sum().backward();
    const gradients = [x, weight, gate, up, down].map((one) => one!.grad!.toArray());
    return { gradients, bytes };
  });
}

describe('a released activation', () => {
  it.each([
    ['float32', 'swiglu', 4],
    ['bfloat16', 'swiglu', 2],
    ['float64', 'swiglu', 8],
    ['float32', 'geglu', 4],
    ['bfloat16', 'geglu', 2],
  ] as const)('is restored bit for bit: %s, %s', (dtype, kind, size) => {
    const kept = trained(dtype, kind, false);
    const released = trained(dtype, kind, true);
    expect(released.gradients).toEqual(kept.gradients);
    expect(kept.gradients.flat().some((value) => Math.abs(value) > 0.1)).toBe(true);
    expect(kept.bytes - released.bytes).toBe(size * (9 * 12 + 9 * 8));
  });

  it('may be the norm of a sum, computed with it', () => {
    const gradientsOf = (released: boolean): number[][] =>
      tidy(() => {
        manualSeed(5);
        const leaf = (...shape: number[]): Tensor => randn(shape).to('bfloat16').setRequiresGrad();
        const [x, update, scale, weight] = [leaf(9, 8), leaf(9, 8), leaf(8), leaf(8, 8)];
        const [sum, normed] = ops.addRmsNorm(x, update, scale, 1e-5);
        let y = normed.linear(weight);
        const before = memory().bytes;
        if (released) y = ops.releaseRmsNorm(y, normed, sum, scale, 1e-5);
        expect(before - memory().bytes).toBe(released ? 2 * 9 * 8 : 0);
        sum.add(y).square().sum().backward();
        return [x, update, scale, weight].map((one) => one.grad!.toArray());
      });
    expect(gradientsOf(true)).toEqual(gradientsOf(false));
  });

  it('stays if nothing is recorded, or its sources are frozen', () => {
    tidy(() => {
      const [gate, up] = [randn([3, 4]), randn([3, 4])];
      const product = ops.swiglu(gate, up);
      const before = product.toArray();
      const weight = randn([2, 4]).setRequiresGrad();
      expect(ops.releaseSwiglu(product.linear(weight), product, gate, up).requiresGrad).toBe(true);
      expect(product.toArray()).toEqual(before);
      const [x, scale] = [randn([3, 4]), randn([4])];
      const normed = ops.rmsNorm(x, scale, 1e-5);
      const values = normed.toArray();
      ops.releaseRmsNorm(normed.linear(weight), normed, x, scale, 1e-5);
      expect(normed.toArray()).toEqual(values);
    });
  });

  it('must be a whole tensor', () => {
    tidy(() => {
      const [gate, up] = [randn([3, 4]).setRequiresGrad(), randn([3, 4]).setRequiresGrad()];
      const product = ops.swiglu(gate, up);
      const part = product.narrow(0, 1, 2);
      expect(() => ops.releaseSwiglu(part.sum(), part, gate, up)).toThrow(
        /a whole tensor, not a view/,
      );
    });
  });
});
