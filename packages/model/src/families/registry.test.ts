import { describe, expect, it } from 'vitest';
import { tinyConfigs } from '../loading/fixtures/tiny-models.ts';
import { ConfigError } from './config-error.ts';
import { architectureOf, decoderConfigFrom } from './registry.ts';

const windows = (json: unknown): (number | null)[] =>
  decoderConfigFrom(json).layers.map(({ window }) => window);

describe('decoderConfigFrom', () => {
  it.each([
    [{}, /field model_type is missing/],
    [[], /expected object/],
    [{ model_type: 'bert' }, /model_type is "bert".*llama, mistral, qwen2, .*gpt2/],
    [{ model_type: 'constructor' }, /model_type is "constructor"/],
    [{ ...tinyConfigs.llama, hidden_size: undefined }, /field hidden_size is missing/],
    [{ ...tinyConfigs.llama, hidden_size: '16' }, /field hidden_size is "16"/],
    [{ ...tinyConfigs.llama, num_hidden_layers: 1e9 }, /field num_hidden_layers is 1000000000/],
    [{ ...tinyConfigs.llama, num_key_value_heads: 3 }, /multiple of num_key_value_heads 3/],
    [
      { ...tinyConfigs.llama, head_dim: null, num_attention_heads: 6 },
      /hidden_size is 16, expected a multiple/,
    ],
    [{ ...tinyConfigs.llama, hidden_act: 'mish' }, /field hidden_act is "mish"/],
    [
      { ...tinyConfigs.llama, quantization_config: { bits: 4 } },
      /quantization_config is {"bits":4}: Keel reads unquantised/,
    ],
    [
      { ...tinyConfigs.gemma2, layer_types: ['full_attention'] },
      /layer_types has 1 elements, expected one for each of the 2/,
    ],
    [{ ...tinyConfigs.gemma3, use_bidirectional_attention: true }, /causal models only/],
    [
      { ...tinyConfigs.gpt2, scale_attn_by_inverse_layer_idx: true },
      /scale_attn_by_inverse_layer_idx/,
    ],
  ])('refuses %j', (json, message) => {
    expect(() => decoderConfigFrom(json)).toThrow(ConfigError);
    expect(() => decoderConfigFrom(json)).toThrow(message);
  });

  it('derives the head size', () => {
    expect(decoderConfigFrom({ ...tinyConfigs.llama, head_dim: undefined }).headSize).toBe(4);
    expect(decoderConfigFrom({ ...tinyConfigs.qwen3, head_dim: undefined }).headSize).toBe(128);
    expect(decoderConfigFrom({ ...tinyConfigs.qwen2, head_dim: 98 }).headSize).toBe(98);
  });

  it('gives windows to the layers that have one', () => {
    expect(windows(tinyConfigs.llama)).toEqual([null, null]);
    expect(windows(tinyConfigs.mistral)).toEqual([6, 6]);
    expect(windows({ ...tinyConfigs.mistral, sliding_window: null })).toEqual([null, null]);
    expect(windows(tinyConfigs.gemma2)).toEqual([6, null]);
    expect(windows({ ...tinyConfigs.gemma3, num_hidden_layers: 4 })).toEqual([6, null, 6, null]);
    const qwen = { ...tinyConfigs.qwen2, sliding_window: 5, max_window_layers: 1 };
    expect(windows(qwen)).toEqual([null, null]);
    expect(windows({ ...qwen, use_sliding_window: true })).toEqual([null, 5]);
    const types = ['sliding_attention', 'full_attention'];
    expect(windows({ ...qwen, use_sliding_window: true, layer_types: types })).toEqual([5, null]);
  });

  it('gives Gemma 3 rotary embeddings by layer type, from old and new keys alike', () => {
    const { rope_theta, rope_local_base_freq, ...rest } = tinyConfigs.gemma3!;
    const current = {
      ...rest,
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta },
        sliding_attention: { rope_type: 'default', rope_theta: rope_local_base_freq },
      },
    };
    const layers = decoderConfigFrom(tinyConfigs.gemma3).layers;
    expect(decoderConfigFrom(current).layers).toEqual(layers);
    expect(layers[0]!.rotary!.inverseFrequencies[1]).toBeCloseTo(10_000 ** -0.25, 12);
    expect(layers[1]!.rotary!.inverseFrequencies[1]).toBeCloseTo(1_000_000 ** -0.25, 12);
  });

  it('omits rotary embeddings where SmolLM3 has none', () => {
    const turns = (json: unknown) =>
      decoderConfigFrom(json).layers.map(({ rotary }) => rotary !== null);
    expect(turns(tinyConfigs.smollm3)).toEqual([true, true, true, false]);
    expect(
      turns({ ...tinyConfigs.smollm3, no_rope_layers: null, no_rope_layer_interval: 2 }),
    ).toEqual([true, false, true, false]);
  });

  it('limits Phi-3 to the range of its short factors', () => {
    expect(decoderConfigFrom(tinyConfigs.phi3).maxPositions).toBe(64);
    expect(decoderConfigFrom({ ...tinyConfigs.phi3, rope_scaling: null }).maxPositions).toBe(256);
  });

  it("reads Gemma's special fields", () => {
    const gemma2 = decoderConfigFrom({ ...tinyConfigs.gemma2, query_pre_attn_scalar: 25 });
    expect(gemma2).toMatchObject({
      attentionScale: 0.2,
      attentionSoftcap: 50,
      logitSoftcap: 30,
      embeddingScale: 4,
      activation: 'gelu_tanh',
      norm: { weightOffset: 1 },
    });
    expect(decoderConfigFrom(tinyConfigs.gemma3)).toMatchObject({
      attentionSoftcap: null,
      logitSoftcap: null,
    });
  });
});

describe('architectureOf', () => {
  it('names the class of transformers', () => {
    expect(architectureOf('gpt2')).toBe('GPT2LMHeadModel');
    expect(() => architectureOf('bert')).toThrow(/model_type is "bert"/);
  });
});
