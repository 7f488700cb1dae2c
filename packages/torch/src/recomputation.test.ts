import { describe, expect, it } from 'vitest';
import { randn, zeros } from './create.ts';
import * as ops from './ops.generated.ts';
import { manualSeed, randomState } from './random.ts';
import { Recomputation } from './recomputation.ts';
import { memory, tidy } from './scope.ts';
import { setThreads } from './system.ts';
import type { Tensor } from './tensor.ts';

setThreads(1);
const count = 3;

interface Weights {
  /** [8, 8], used below the parts and above them */
  shared: Tensor;
  /** [8, 8], one for each part */
  parts: Tensor[];
}

function weights(): Weights {
  const one = (): Tensor => randn([8, 8]).mul(0.4).detach().setRequiresGrad();
  return { shared: one(), parts: Array.from({ length: count }, one) };
}

/**
 * Two passes over three parts with dropout, whose gradients accumulate. @returns gradients and the
 * final random state
 */
function trained(recomputed: boolean, belowIsTrained: boolean) {
  return tidy(() => {
    manualSeed(5);
    const { shared, parts } = weights();
    for (let pass = 0; pass < 2; pass++) {
      tidy(() => {
        const input = randn([6, 8]);
        const below = belowIsTrained ? input.matmul(shared) : input;
        using recomputation = recomputed ? new Recomputation() : null;
        let state = below;
        for (const weight of parts) {
          const body = (x: Tensor): Tensor =>
            ops.dropout(x.matmul(weight).tanh(), 0.4, true).add(x);
          state = recomputation === null ? body(state) : recomputation.run(state, body);
        }
        const head = recomputation?.standIn(shared) ?? shared;
        const loss = state.matmul(head).square().sum();
        if (recomputation === null) loss.backward();
        else recomputation.backward(loss);
      });
    }
    const gradients = [shared, ...parts].map((one) => one.grad!.toArray());
    return { gradients, random: [...randomState()] };
  });
}

describe('a pass with recomputed parts', () => {
  it.each([
    ['trained', true],
    ['frozen', false],
  ])('has the same gradients and random state, bit for bit; the input is %s', (_, below) => {
    const before = memory();
    const kept = trained(false, below);
    expect(kept.gradients.flat().every((value) => Number.isFinite(value) && value !== 0)).toBe(
      true,
    );
    expect(trained(true, below)).toEqual(kept);
    expect(memory()).toEqual(before);
  });

  it('records nothing in forward', () => {
    tidy(() => {
      const { parts } = weights();
      using recomputation = new Recomputation();
      let inside: Tensor | undefined;
      const output = recomputation.run(randn([6, 8]), (x) => {
        inside ??= x.matmul(parts[0]!).keep();
        return inside.tanh();
      });
      expect(inside!.requiresGrad).toBe(false);
      expect(output.requiresGrad).toBe(true);
      inside!.dispose();
    });
  });

  it('skips parts that the loss does not depend on', () => {
    tidy(() => {
      const { parts } = weights();
      using recomputation = new Recomputation();
      let runs = 0;
      recomputation.run(randn([6, 8]), (x) => {
        runs += 1;
        return x.matmul(parts[0]!);
      });
      recomputation.backward(parts[1]!.sum());
      expect(runs).toBe(1);
      expect(parts[0]!.grad).toBeNull();
      expect(parts[1]!.grad!.toArray()).toEqual(new Array(64).fill(1));
    });
  });

  it('restores the random state when a part fails, and frees what it held', () => {
    const before = memory();
    tidy(() => {
      const { parts } = weights();
      const recomputation = new Recomputation();
      let runs = 0;
      const output = recomputation.run(randn([6, 8]), (x) => {
        runs += 1;
        if (runs === 2) throw new Error('broken');
        return ops.dropout(x.matmul(parts[0]!), 0.5, true);
      });
      const random = randomState();
      expect(() => recomputation.backward(output.sum())).toThrow('broken');
      expect(randomState()).toEqual(random);
      recomputation[Symbol.dispose]();
    });
    expect(memory()).toEqual(before);
  });

  it('accepts only the output of the part before', () => {
    tidy(() => {
      using recomputation = new Recomputation();
      recomputation.run(zeros([2]), (x) => x.add(1));
      expect(() => recomputation.run(zeros([2]), (x) => x)).toThrow(/output of the part before/);
    });
  });
});
