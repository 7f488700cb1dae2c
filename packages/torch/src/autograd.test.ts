import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gradcheck, gradients, noGrad } from './autograd.ts';
import { ones, randn, tensor } from './create.ts';
import * as ops from './ops.generated.ts';
import { memory, Scope, tidy } from './scope.ts';
import type { Tensor } from './tensor.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope[Symbol.dispose]());

const leaf = (data: number[]): Tensor => tensor(data, { dtype: 'float64' }).setRequiresGrad();

describe('backward', () => {
  test('accumulates gradients, with and without a seed', () => {
    const x = leaf([1, 2, 3]);
    expect(x.grad).toBeNull();
    x.mul(x).sum().backward();
    expect(x.grad?.toArray()).toEqual([2, 4, 6]);
    x.mul(x).backward(tensor([1, 10, 100], { dtype: 'float64' }));
    expect(x.grad?.toArray()).toEqual([4, 44, 606]);
    x.grad = null as Tensor | null;
    expect(x.grad).toBeNull();
    x.mul(2).sum().backward();
    expect(x.grad?.toArray()).toEqual([2, 2, 2]);
  });

  test('a gradient is set, replaced, and shared with its handle', () => {
    const x = leaf([1, 2]);
    x.grad = tensor([5, 6], { dtype: 'float64' });
    x.grad?.mul_(2);
    expect(x.grad?.toArray()).toEqual([10, 12]);
    expect(() => {
      x.grad = ones([3], { dtype: 'float64' });
    }).toThrow(/the gradient of \[2\] float64 cannot be \[3\] float64/);
    expect(() => {
      x.grad = ones([2]);
    }).toThrow(/cannot be \[2\] float32/);
    expect(() => {
      x.grad = x;
    }).toThrow(/the tensor itself/);
    expect(x.grad?.toArray()).toEqual([10, 12]);
  });

  test('only floating-point leaves take part', () => {
    expect(() => tensor([1], { dtype: 'int64' }).setRequiresGrad()).toThrow(/floating point/);
    const y = leaf([1]).mul(2);
    expect(y.requiresGrad).toBe(true);
    expect(() => y.setRequiresGrad(false)).toThrow(/leaf/);
    expect(y.detach().requiresGrad).toBe(false);
    expect(leaf([1]).setRequiresGrad(false).requiresGrad).toBe(false);
  });

  test('a graph of 20,000 operators', () => {
    const x = leaf([1]);
    let y = x.add(0);
    const before = memory().tensors;
    for (let i = 0; i < 20_000; i++) {
      const next = y.add(0);
      y.dispose();
      y = next;
    }
    expect(memory().tensors).toBe(before);
    y.backward();
    expect(x.grad?.item()).toBe(1);
  });
});

describe('noGrad', () => {
  test('nests, and ends with an exception', () => {
    const x = leaf([1]);
    const recorded = (): boolean => x.mul(2).requiresGrad;
    noGrad(() => {
      expect(recorded()).toBe(false);
      noGrad(() => expect(recorded()).toBe(false));
      expect(recorded()).toBe(false);
      expect(() =>
        noGrad(() => {
          throw new Error('inside');
        }),
      ).toThrow('inside');
      expect(recorded()).toBe(false);
    });
    expect(recorded()).toBe(true);
    expect(() => noGrad(() => x.reshape(7))).toThrow(/aten::reshape/);
    expect(recorded()).toBe(true);
    expect(() => noGrad(async () => x)).toThrow(/noGrad.*promise/);
    expect(recorded()).toBe(true);
  });
});

describe('gradients', () => {
  test('are null for inputs that the output does not depend on, and leave grad unchanged', () => {
    const [x, y] = [leaf([3]), leaf([4])];
    const before = memory().tensors;
    const output = x.mul(x);
    const found = gradients(output, [y, x]);
    expect(found[0]).toBeNull();
    expect(found[1]?.item()).toBe(6);
    expect(x.grad).toBeNull();
    expect(memory().tensors).toBe(before + 2);
    const seeded = gradients(x.mul(x), [x], tensor([10], { dtype: 'float64' }));
    expect(seeded[0]?.item()).toBe(60);
  });
});

describe('gradcheck', () => {
  const input = (): Tensor => randn([2, 3], { dtype: 'float64' }).setRequiresGrad();

  test('accepts correct gradients, and leaves inputs and memory unchanged', () => {
    const [a, b] = [input(), input()];
    const [values, count] = [a.toArray(), memory().tensors];
    gradcheck((x, y) => x!.mul(y!).tanh().logsumexp(1), [a, b]);
    gradcheck((x) => x!.matmul(b.detach().t()).softmax(-1), [a]);
    expect(a.toArray()).toEqual(values);
    expect(a.grad).toBeNull();
    expect(memory().tensors).toBe(count);
  });

  test('catches a wrong gradient and says where', () => {
    const half = (x: Tensor): Tensor => x.mul(x.detach());
    expect(() => gradcheck((x) => half(x!), [input()])).toThrow(
      /gradient of input 0, element 0: backward gives .*differences give/,
    );
    // One wrong element among correct ones.
    const mask = tensor(
      [
        [1, 1, 1],
        [1, 0, 1],
      ],
      { dtype: 'float64' },
    );
    const missing = (x: Tensor): Tensor => x.mul(mask).add(x.detach().mul(mask.rsub(1)));
    expect(() => gradcheck((x) => missing(x!), [input()])).toThrow(/element 4/);
    // A gradient that is missing altogether, next to one that is not.
    expect(() => gradcheck((x, y) => x!.add(y!.detach()), [input(), input()])).toThrow(/input 1/);
  });

  test('refuses checks that would prove nothing', () => {
    const single = ones([2]).setRequiresGrad();
    expect(() => gradcheck((x) => x!.exp(), [single])).toThrow(/float64/);
    expect(() => gradcheck((x) => x!.exp(), [input().detach()])).toThrow(/no input/);
  });

  test('operators of LibTorch pass', () => {
    const a = input();
    for (const body of [ops.logSigmoid, ops.silu, ops.softplus, ops.expm1] as const) {
      gradcheck((x) => (body as (one: Tensor) => Tensor)(x!), [a]);
    }
    tidy(() => gradcheck((x) => x!.cumsum(1).square().mean(0), [a]));
  });
});
