import { describe, expect, test } from 'vitest';
import { arange, empty, fromBytes, fromTypedArray, full, tensor } from './create.ts';
import { type DType, dtypeBytes, type TypedArray } from './dtype.ts';

describe('exchange with typed arrays', () => {
  const cases: [DType, TypedArray][] = [
    ['uint8', Uint8Array.of(0, 7, 255)],
    ['int8', Int8Array.of(-128, 0, 127)],
    ['int16', Int16Array.of(-32768, 0, 32767)],
    ['int32', Int32Array.of(-2147483648, 0, 2147483647)],
    ['int64', BigInt64Array.of(-(2n ** 63n), 9007199254740993n, 2n ** 63n - 1n)],
    ['float16', Uint16Array.of(0x3c00, 0xc000, 0x7bff)],
    ['float32', Float32Array.of(-1.5, 0.1, 3e38)],
    ['float64', Float64Array.of(-1.5, 0.1, 1e308)],
    ['bool', Uint8Array.of(0, 1, 1)],
    ['bfloat16', Uint16Array.of(0x3f80, 0xbf81, 0x7f7f)],
  ];
  test.each(cases)('%s is restored unchanged', (dtype, data) => {
    using made = fromTypedArray(data, [3, 1], { dtype });
    expect(made.dtype).toBe(dtype);
    expect(made.shape).toEqual([3, 1]);
    expect(made.strides).toEqual([1, 1]);
    expect(made.device).toBe('cpu');
    expect(made.toTypedArray()).toEqual(data);
    const bytes = new Uint8Array(data.buffer.slice(0));
    expect(bytes.length).toBe(3 * dtypeBytes(dtype));
    using raw = fromBytes(bytes, dtype, [3]);
    expect(raw.toTypedArray()).toEqual(data);
  });

  test('the tensor is a copy, and row-major for any strides', () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    using made = fromTypedArray(data, [2, 3]);
    data[0] = 9;
    using turned = made.t();
    expect(turned.strides).toEqual([1, 3]);
    expect(Array.from(turned.toTypedArray() as Float32Array)).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test('bits of 16-bit floats represent their numbers', () => {
    using brain = fromTypedArray(Uint16Array.of(0x3f80, 0xc049), [2], { dtype: 'bfloat16' });
    expect(brain.toArray()).toEqual([1, -3.140625]);
    using half = fromTypedArray(Uint16Array.of(0x3c00, 0x3555), [2], { dtype: 'float16' });
    expect(half.toArray()).toEqual([1, 0.333251953125]);
    using rounded = tensor([1 + 1 / 256, 1 + 3 / 256], { dtype: 'bfloat16' });
    expect(rounded.toTypedArray()).toEqual(Uint16Array.of(0x3f80, 0x3f82));
  });

  test('a bool is true for every byte but 0', () => {
    using flags = fromTypedArray(Uint8Array.of(0, 2, 255), [3], { dtype: 'bool' });
    expect(flags.toTypedArray()).toEqual(Uint8Array.of(0, 1, 1));
  });

  test('arrays that do not fit are refused', () => {
    expect(() => fromTypedArray(new Float32Array(5), [2, 3])).toThrow(
      /needs 24 bytes, the array has 20/,
    );
    expect(() => fromBytes(new Uint8Array(7), 'int64', [1])).toThrow(/needs 8 bytes.*has 7/);
    expect(() => fromTypedArray(new Float32Array(1), [-1, -1])).toThrow(/not possible/);
    expect(() => fromTypedArray(new Float32Array(0), [2 ** 40, 2 ** 40])).toThrow(/not possible/);
    expect(() => fromTypedArray(new Float32Array(2), [1.5])).toThrow(/whole number, got 1.5/);
    expect(() => fromTypedArray(Float32Array.of(1), [1], { dtype: 'int32' })).toThrow(
      /Float32Array are not int32/,
    );
    expect(() => fromTypedArray(Uint16Array.of(1))).toThrow(/dtype/);
    expect(() => fromTypedArray(new Uint8ClampedArray(1) as unknown as Uint8Array)).toThrow(
      /Uint8ClampedArray/,
    );
    expect(() => empty([1], { dtype: 'float31' as DType })).toThrow(/unknown dtype "float31"/);
  });

  test('64-bit integers that a number cannot represent are not rounded silently', () => {
    const data = BigInt64Array.of(9007199254740993n);
    using big = fromTypedArray(data);
    expect(big.toTypedArray()).toEqual(data);
    expect(() => big.toArray()).toThrow(/9007199254740993/);
    expect(() => big.item()).toThrow(/9007199254740993.*toTypedArray/);
    using small = fromTypedArray(BigInt64Array.of(-9007199254740991n));
    expect(small.item()).toBe(-9007199254740991);
    expect(small.toArray()).toEqual([-9007199254740991]);
  });

  test('a view into a buffer gives only its own part', () => {
    using made = fromTypedArray(Float32Array.of(1, 2, 3, 4).subarray(1, 3));
    expect(made.toArray()).toEqual([2, 3]);
  });
});

describe('tensors from nested arrays', () => {
  test('shape and values', () => {
    using made = tensor([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ]);
    expect(made.shape).toEqual([2, 2, 2]);
    expect(made.dtype).toBe('float32');
    expect(made.toArray()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    using one = tensor(2.5, { dtype: 'float64' });
    expect(one.shape).toEqual([]);
    expect(one.item()).toBe(2.5);
  });

  test('empty tensors', () => {
    for (const [data, shape] of [
      [[], [0]],
      [
        [[], []],
        [2, 0],
      ],
    ] as const) {
      using made = tensor(data);
      expect(made.shape).toEqual(shape);
      expect(made.size).toBe(0);
      expect(made.toArray()).toEqual([]);
      using sum = made.sum();
      expect(sum.item()).toBe(0);
    }
    using raw = fromTypedArray(new Float32Array(0), [0, 3]);
    expect(raw.toTypedArray()).toEqual(new Float32Array(0));
  });

  test.each([
    [[[1, 2], [3]]],
    [[[1, 2], [3], [4, 5, 6]]],
    [[1, [2]]],
    [[[1], 2]],
    [[[], [1]]],
    [[[1], [[2]]]],
  ])('ragged %j is refused', (data) => {
    expect(() => tensor(data as number[])).toThrow(/ragged/);
  });

  test('values that are not numbers are refused', () => {
    for (const wrong of ['1', null, undefined, true, 1n]) {
      expect(() => tensor([wrong] as unknown as number[])).toThrow(/expected a number/);
    }
  });

  test('integer types accept only values that they can represent', () => {
    using made = tensor([-128, 127], { dtype: 'int8' });
    expect(made.toArray()).toEqual([-128, 127]);
    for (const [dtype, wrong] of [
      ['uint8', 256],
      ['uint8', -1],
      ['int8', 128],
      ['int32', 2 ** 31],
      ['int32', 1.5],
      ['int64', 2 ** 53],
      ['int64', Number.NaN],
    ] as const) {
      expect(() => tensor([wrong], { dtype })).toThrow(RangeError);
    }
    using flags = tensor([0, 0.5, -2], { dtype: 'bool' });
    expect(flags.toArray()).toEqual([0, 1, 1]);
  });

  test('filled tensors', () => {
    using seven = full([2], 7, { dtype: 'int64' });
    expect(seven.toTypedArray()).toEqual(BigInt64Array.of(7n, 7n));
    using count = arange(3);
    expect(count.toTypedArray()).toEqual(BigInt64Array.of(0n, 1n, 2n));
  });
});
