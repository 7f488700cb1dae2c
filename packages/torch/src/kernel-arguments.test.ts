// Invalid arguments of Keel's own operators, and that a zero adapter changes no bit.
import { describe, expect, it } from 'vitest';
import { randn, zeros } from './create.ts';
import type { DType } from './dtype.ts';
import * as ops from './ops.generated.ts';
import { manualSeed } from './random.ts';
import { tidy } from './scope.ts';

describe('segment_attention', () => {
  const attend = (keyType: DType, valueType: DType, keyHeads = 1): void =>
    tidy(() => {
      const query = randn([4, 2, 16]);
      const key = zeros([4, keyHeads, 16], { dtype: keyType });
      const value = zeros([4, keyHeads, 16], { dtype: valueType });
      ops.segmentAttention(query, key, value, [0, 4, -1], 1);
    });

  it('accepts only keys and values of the queries’ type', () => {
    expect(() => attend('bfloat16', 'bfloat16')).toThrow(/segment_attention: .* type, got/);
    expect(() => attend('float32', 'float64')).toThrow(/ type, got/);
    expect(() => attend('float32', 'float32')).not.toThrow();
  });

  it('refuses keys without heads', () => {
    expect(() => attend('float32', 'float32', 0)).toThrow(/segment_attention takes query/);
  });
});

it('linear_logprob requires a weight of the hidden states’ type, and targets in the vocabulary', () => {
  tidy(() => {
    const hidden = randn([2, 4]);
    const targets = zeros([2], { dtype: 'int64' });
    expect(() => ops.linearLogprob(hidden, randn([8, 4]).to('bfloat16'), targets)).toThrow(
      / type, got/,
    );
    expect(() => ops.linearLogprob(hidden, randn([8, 4]), targets.add(8))).toThrow(
      /outside the vocabulary/,
    );
  });
});

describe('lora_linears with B = 0', () => {
  it.each([
    'float32',
    'bfloat16',
  ] as const)('equals linear bit for bit in %s, including the bias', (dtype) => {
    tidy(() => {
      manualSeed(4);
      // 700 rows and 1100 inputs: several pieces and several blocks of the product
      const x = randn([700, 1100]).to(dtype);
      const weight = randn([96, 1100]).to(dtype);
      const bias = randn([96]).to(dtype);
      const a = randn([8, 1100]);
      const b = zeros([96, 8]);
      const plain = ops.linear(x, weight, bias);
      expect(ops.equal(ops.loraLinears(x, [weight], [bias], [a], [b], 2)[0]!, plain)).toBe(true);
    });
  });
});
