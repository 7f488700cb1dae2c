import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { rotaryConfig, rotaryParameters } from './rotary.ts';

// Frequencies and factor from transformers 5.17 (float32) for heads of 16 and these parameters.
const references: [string, Record<string, unknown>, number, number, number[]][] = [
  [
    'linear',
    { rope_type: 'linear', rope_theta: 10_000, factor: 4 },
    4096,
    1,
    [0.25, 0.079056941, 0.025, 0.0079056947, 0.0025, 0.00079056947, 0.00025, 7.9056947e-5],
  ],
  [
    'llama3',
    {
      rope_type: 'llama3',
      rope_theta: 500_000,
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 1024,
    },
    4096,
    1,
    [
      1, 0.193922758, 0.0376060307, 0.00131256948, 0.000176776681, 3.42810235e-5, 6.64786967e-6,
      1.28917316e-6,
    ],
  ],
  [
    'yarn',
    { rope_type: 'yarn', rope_theta: 10_000, factor: 4, original_max_position_embeddings: 1024 },
    4096,
    1.138629436,
    [
      1, 0.316227764, 0.0812500045, 0.0197642371, 0.00437500002, 0.000790569466, 0.00025,
      7.90569466e-5,
    ],
  ],
  [
    'yarn with all its options',
    {
      rope_type: 'yarn',
      rope_theta: 10_000,
      factor: 40,
      original_max_position_embeddings: 256,
      beta_fast: 16,
      beta_slow: 2,
      mscale: 0.8,
      mscale_all_dim: 0.5,
      truncate: false,
    },
    4096,
    1.0934331942,
    [
      1, 0.284114987, 0.0358637124, 0.000790569466, 0.00025, 7.90569466e-5, 2.49999994e-5,
      7.90569447e-6,
    ],
  ],
  [
    'yarn with zeros, which are as absent',
    {
      rope_type: 'yarn',
      rope_theta: 10_000,
      factor: 4,
      original_max_position_embeddings: 512,
      beta_fast: 0,
      beta_slow: 0,
      mscale: 0.7,
      mscale_all_dim: 0,
    },
    2048,
    1.138629436,
    [
      1, 0.25693506, 0.0625, 0.0138349654, 0.00249999994, 0.000790569466, 0.000250000012,
      7.90569466e-5,
    ],
  ],
  [
    'longrope over a part of the head',
    {
      rope_type: 'longrope',
      rope_theta: 10_000,
      partial_rotary_factor: 0.75,
      short_factor: [1, 1.05, 1.1, 1.15, 1.2, 1.25],
      long_factor: [2, 3, 4, 5, 6, 7],
      original_max_position_embeddings: 1024,
    },
    16_384,
    1.18321595662,
    [1, 0.205184266, 0.0421962552, 0.00869565178, 0.00179536187, 0.000371327158],
  ],
];

describe('rotaryConfig', () => {
  it.each(
    references,
  )('%s agrees with transformers', (_, parameters, maxPositions, factor, frequencies) => {
    const found = rotaryConfig(parameters, 16, maxPositions);
    expect(found.attentionFactor).toBeCloseTo(factor, 8);
    expect(found.inverseFrequencies.length).toBe(frequencies.length);
    found.inverseFrequencies.forEach((value, i) => {
      expect(Math.abs(value / frequencies[i]! - 1)).toBeLessThan(1e-6);
    });
  });

  it.each([
    [
      { rope_theta: 1e4, rope_type: 'proportional' },
      /rope_type is "proportional".*default, dynamic/,
    ],
    [{ rope_theta: 1e4, rope_type: 'linear' }, /field factor is missing/],
    [{ rope_theta: -1 }, /field rope_theta is -1/],
    [
      {
        rope_theta: 1e4,
        rope_type: 'longrope',
        short_factor: [1],
        original_max_position_embeddings: 8,
      },
      /short_factor has 1 numbers, expected 8/,
    ],
    [{ rope_theta: 1e4, partial_rotary_factor: 0.2 }, / 3 features/],
  ])('refuses %j', (parameters, message) => {
    expect(() => rotaryConfig(parameters, 16, 64)).toThrow(ConfigError);
    expect(() => rotaryConfig(parameters, 16, 64)).toThrow(message);
  });
});

describe('rotaryParameters', () => {
  it('reads old and new keys', () => {
    const scaling = { factor: 2 };
    const old = rotaryParameters(
      { rope_theta: 500, rope_scaling: { type: 'linear', ...scaling } },
      1e4,
    );
    const current = rotaryParameters(
      { rope_parameters: { rope_theta: 500, rope_type: 'linear', ...scaling } },
      1e4,
    );
    expect(old).toEqual(current);
    expect(rotaryParameters({ rope_scaling: null }, 1e4)).toEqual({ rope_theta: 1e4 });
  });
});
