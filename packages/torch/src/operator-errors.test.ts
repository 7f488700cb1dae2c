import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cat, fromTypedArray, ones, tensor, zeros } from './create.ts';
import { type Handle, native } from './native.ts';
import * as ops from './ops.generated.ts';
import { keep, memory, Scope, tidy } from './scope.ts';
import { Tensor } from './tensor.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope[Symbol.dispose]());

const message = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
};

describe('errors of operators', () => {
  test('name the operator, its arguments and their shapes', () => {
    const a = ones([2, 3]);
    const b = zeros([4, 5], { dtype: 'float64' });
    const text = message(() => a.matmul(b));
    expect(text).toContain('aten::matmul(self: [2, 3] float32, other: [4, 5] float64)');
    expect(text).not.toMatch(/frame #|Exception raised/);
    expect(message(() => cat([a, b], 1))).toContain(
      'aten::cat(tensors: [[2, 3] float32; [4, 5] float64], dim: 1)',
    );
    expect(message(() => a.reshape(4))).toContain(
      'aten::reshape(self: [2, 3] float32, shape: [4])',
    );
    expect(message(() => a.dim(5))).toMatch(/dimension 5 .*\[2,3\]/);
  });

  test('stay short for many or long arguments', () => {
    const a = ones([2]);
    expect(message(() => a.split(new Array(50).fill(1)))).toContain('1, … 50 in all]');
    const text = message(() => ops.gelu(a, `${'é'.repeat(30)}🙂`.repeat(4)));
    expect(text).toMatch(/approximate: "é{30}🙂é+…"\)/);
    expect(text).not.toContain('\ufffd');
  });

  test('name a device that does not exist', () => {
    const text = message(() => zeros([1], { device: 'cpü' }));
    expect(text).toContain("Invalid device string: 'cpü'");
    expect(text).not.toContain('frame #');
  });

  test('say which argument is missing, of a wrong type, or superfluous', () => {
    const add = native.findOperator('aten::add', 'Tensor');
    const one = tensor(1).handle;
    expect(message(() => native.call(add, one))).toContain('argument "other" is missing');
    expect(message(() => native.call(add, one, 'x'))).toContain(
      'argument "other": expected a number',
    );
    expect(message(() => native.call(add, one, one, 1, 1))).toContain('4 arguments are too many');
    expect(message(() => native.call(add, ...new Array(60).fill(1)))).toContain('61 arguments');
    expect(message(() => native.disposeAll(...(new Array(60).fill([]) as [Handle[]])))).toContain(
      '60 arguments',
    );
    expect(message(() => native.call(-1))).toContain('no such operator');
    expect(message(() => native.call(Number.NaN))).toContain('no such operator');
    expect(message(() => native.call(1e9))).toContain('no such operator');
    expect(message(() => (native.call as () => void)())).toContain('expected a number');
    expect(message(() => native.findOperator('aten::nöne', ''))).toContain('aten::nöne');
    const cast = native.findOperator('aten::to', 'dtype');
    expect(message(() => native.call(cast, one, 999))).toContain('no scalar type 999');
    const join = native.findOperator('aten::cat', '');
    expect(message(() => native.call(join, one))).toContain('expected an array');
    expect(message(() => native.call(join, [one, Symbol('x')]))).toContain('expected a number');
  });

  test('JavaScript exceptions while arguments are read are passed on', () => {
    const join = native.findOperator('aten::cat', '');
    const list = [0];
    Object.defineProperty(list, 0, {
      get() {
        throw new RangeError('from the getter');
      },
    });
    expect(() => native.call(join, list)).toThrow(new RangeError('from the getter'));
  });

  test('an impossible allocation is an error', () => {
    expect(() => zeros([2 ** 30, 2 ** 30])).toThrow(
      /aten::zeros\(size: \[1073741824, 1073741824\]/,
    );
    expect(() => zeros([2 ** 40, 2 ** 40])).toThrow(/aten::zeros/);
  });

  test('sizes and scalars are exact or refused', () => {
    const three = tensor([3], { dtype: 'int64' });
    const big = native.call(native.findOperator('aten::add', 'Scalar'), three.handle, 2n ** 60n);
    expect(new Tensor(big as Handle).toTypedArray()).toEqual(BigInt64Array.of(2n ** 60n + 3n));
    expect(message(() => zeros([2 ** 53]))).toContain('2^53');
    expect(
      message(() =>
        native.call(native.findOperator('aten::add', 'Scalar'), three.handle, 2n ** 64n),
      ),
    ).toContain('64 bits');
    expect(three.add(1).dtype).toBe('int64');
    expect(three.add(0.5).dtype).toBe('float32');
  });

  test('exceptions in backward become errors', () => {
    const x = ones([2]).setRequiresGrad();
    expect(message(() => x.mul(2).backward())).toMatch(/^backward: grad can be implicitly created/);
    expect(message(() => x.mul(2).backward(ones([3])))).toContain('[3]');
    expect(message(() => ones([]).backward())).toContain('does not require grad');
    const squared = x.mul(x).sum();
    squared.backward();
    expect(message(() => squared.backward())).toContain('second time');
    const changed = x.mul(1);
    const product = changed.mul(changed).sum();
    changed.add_(1);
    expect(message(() => product.backward())).toContain('modified by an inplace operation');
    const hidden = ones([2, 3]).setRequiresGrad();
    const targets = tensor([0, 1], { dtype: 'int64' });
    const [logprob] = ops.linearLogprob(hidden, ones([4, 3]), targets);
    targets.copy_(tensor([9, 9], { dtype: 'int64' }));
    expect(() => logprob.sum().backward()).toThrow(/inplace|out of bounds/);
  });
});

describe('use after dispose', () => {
  const used = /was disposed/;

  test('throws in every use', () => {
    const gone = tensor([1, 2]);
    const alive = ones([2]).setRequiresGrad();
    gone.dispose();
    gone.dispose();
    expect(gone.disposed).toBe(true);
    const text = message(() => alive.add(gone));
    expect(text).toMatch(used);
    expect(text).toContain('aten::add.Tensor(self: [2] float32');
    expect(text).toContain('argument "other"');
    for (const use of [
      () => gone.add(alive),
      () => gone.add(1),
      () => gone.add_(1),
      () => cat([alive, gone]),
      () => gone.shape,
      () => gone.strides,
      () => gone.dtype,
      () => gone.device,
      () => gone.size,
      () => gone.item(),
      () => gone.toArray(),
      () => gone.toTypedArray(),
      () => gone.grad,
      () => gone.requiresGrad,
      () => gone.setRequiresGrad(),
      () => gone.backward(),
      () => gone.detach(),
      () => gone.keep(),
      () => keep(gone),
      () => alive.sum().backward(gone),
      () => {
        alive.grad = gone;
      },
      () => {
        gone.grad = alive;
      },
    ]) {
      expect(use).toThrow(used);
    }
    expect(alive.grad).toBeNull();
  });

  test('throws for a tensor freed by its scope', () => {
    let escaped: Tensor | undefined;
    tidy(() => {
      escaped = ones([1]);
    });
    expect(escaped?.disposed).toBe(true);
    expect(() => escaped?.item()).toThrow(used);
  });

  test('a handle is never reused', () => {
    const seen = new Set<Handle>();
    for (let i = 0; i < 5000; i++) {
      using one = tensor(i);
      expect(seen.has(one.handle)).toBe(false);
      seen.add(one.handle);
    }
    for (const handle of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, 1]) {
      expect(native.alive(handle)).toBe(false);
      expect(native.dispose(handle)).toBe(false);
    }
  });

  test('the table grows and shrinks with its tensors', () => {
    const before = memory();
    const many = Array.from({ length: 20_000 }, (_, i) => fromTypedArray(Int32Array.of(i)));
    expect(memory()).toEqual({ tensors: before.tensors + 20_000, bytes: before.bytes + 80_000 });
    expect(many[12_345]?.item()).toBe(12_345);
    for (const one of many) one.dispose();
    expect(memory()).toEqual(before);
  });
});
