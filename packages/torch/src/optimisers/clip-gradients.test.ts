import { afterEach, beforeEach, expect, test } from 'vitest';
import { tensor, zeros } from '../create.ts';
import type { DType } from '../dtype.ts';
import { memory, Scope } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { clipGradients, clipOnDevice } from './clip-gradients.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope[Symbol.dispose]());

function parameter(gradient: number[], dtype: DType = 'float32'): Tensor {
  const made = zeros([gradient.length], { dtype }).setRequiresGrad();
  made.grad = tensor(gradient, { dtype });
  return made;
}
const close = (found: number[] | undefined, expected: number[], digits = 6): void =>
  found!.forEach((one, i) => {
    expect(one).toBeCloseTo(expected[i]!, digits);
  });

test('scales all gradients by one factor', () => {
  const [a, b] = [parameter([3, 0]), parameter([0, 4, 12])];
  const none = zeros([2]).setRequiresGrad();
  const before = memory().tensors;
  expect(clipGradients([a, none, b], 6.5)).toBe(13);
  expect(memory().tensors).toBe(before);
  close(a.grad?.toArray(), [1.5, 0]);
  close(b.grad?.toArray(), [0, 2, 6]);
  expect(none.grad).toBeNull();
  expect(clipGradients([a, b], 100)).toBeCloseTo(6.5, 5);
});

test('leaves small gradients unchanged, and all gradients for 0 and Infinity', () => {
  const a = parameter([3, 4]);
  for (const maximum of [5.1, 0, Number.POSITIVE_INFINITY]) {
    expect(clipGradients([a], maximum)).toBe(5);
    expect(a.grad?.toArray()).toEqual([3, 4]);
  }
  expect(clipGradients([], 1)).toBe(0);
  for (const wrong of [-1, Number.NaN]) expect(() => clipGradients([a], wrong)).toThrow(RangeError);
});

test('computes the norm in float32 or wider, and counts a parameter once', () => {
  const narrow = parameter(new Array(3).fill(1), 'bfloat16');
  expect(clipGradients([narrow], 0)).toBeCloseTo(Math.sqrt(3), 6);
  const wide = parameter([1, 1e-6], 'float64');
  expect(clipGradients([wide], 0)).toBeCloseTo(Math.sqrt(1 + 1e-12), 14);
  const a = parameter([3, 4]);
  expect(clipGradients([a, a], 2.5)).toBe(5);
  close(a.grad?.toArray(), [1.5, 2]);
});

test('on a device: the same gradients and norm, as a tensor', () => {
  for (const maximum of [6.5, 100, 0, Number.POSITIVE_INFINITY]) {
    const both = [0, 1].map(() => [parameter([3, 0]), parameter([0, 4, 12])]);
    const norm = clipOnDevice(both[0]!, maximum);
    expect(norm.item()).toBe(clipGradients(both[1]!, maximum));
    const [found, expected] = both.map((all) => all.flatMap(({ grad }) => grad!.toArray()));
    close(found, expected as number[]);
  }
  const mixed = [parameter([3], 'bfloat16'), parameter([4])];
  expect(clipOnDevice(mixed, 1).item()).toBe(5);
  close(mixed[0]!.grad?.toArray(), [0.6], 2);
  close(mixed[1]!.grad?.toArray(), [0.8]);
  expect(clipOnDevice([], 1).item()).toBe(0);
  expect(() => clipOnDevice([], -1)).toThrow('the maximum norm must be at least 0, got -1');
});
