import { describe, expect, it } from 'vitest';
import { tinyConfigs } from '../loading/fixtures/tiny-models.ts';
import { ConfigError } from './config-error.ts';
import { treatmentOf } from './config-fields.ts';
// Made by fixtures/make-config-fields.py.
import known from './fixtures/config-fields.json' with { type: 'json' };
import { decoderConfigFrom, fieldsRead } from './registry.ts';

const noticesOf = (json: Record<string, unknown>): string[] => {
  const notices: string[] = [];
  decoderConfigFrom(json, (text) => void notices.push(text));
  return notices;
};

describe('the fields of a config.json', () => {
  it.each(
    Object.entries(known.fields),
  )('are all classified that transformers has for %s', (family, fields) => {
    const read = fieldsRead(family);
    const unknown = fields.filter((field) => treatmentOf(field, family, read) === null);
    expect(unknown).toEqual([]);
  });

  it('are known where they are generation parameters', () => {
    const unknown = known.generation.filter(
      (field) => treatmentOf(field, 'llama', fieldsRead('llama')) === null,
    );
    expect(unknown).toEqual([]);
  });

  const { llama, gemma2, gpt2, phi3 } = tinyConfigs as Record<string, Record<string, unknown>>;

  it('say nothing where all is as usual', () => {
    const usual = {
      ...{ transformers_version: '4.45.0', torch_dtype: 'bfloat16', use_cache: true, n_ctx: 64 },
      ...{
        temperature: 0.6,
        rope_interleaved: false,
        my_note: null,
        architectures: ['LlamaModel'],
      },
    };
    for (const json of Object.values(tinyConfigs)) expect(noticesOf(json)).toEqual([]);
    expect(noticesOf({ ...llama, ...usual })).toEqual([]);
    expect(noticesOf({ ...gemma2, hidden_act: 'gelu_pytorch_tanh' })).toEqual([]);
    expect(noticesOf({ ...phi3, rope_scaling: { type: 'su', short_factor: [1, 2] } })).toEqual([]);
  });

  it.each<[string, object, object, RegExp]>([
    [
      'no class reads',
      llama!,
      { logit_scale: 2, my_note: 'x' },
      /no effect .*: logit_scale, my_note$/,
    ],
    ['another family reads', llama!, { final_logit_softcapping: 30 }, /final_logit_softcapping/],
    [
      'another type of rotary embeddings reads',
      llama!,
      { rope_scaling: { type: 'default', factor: 8 } },
      /no effect.*: rope_scaling.factor$/,
    ],
    ['acts in training', gpt2!, { attn_pdrop: 0.1 }, /without dropout .*attn_pdrop 0.1/],
    [
      'names code',
      phi3!,
      { auto_map: { AutoConfig: 'a.b' } },
      /not run the code that auto_map names/,
    ],
  ])('are named in a notice where they have no effect: what %s', (_, json, change, message) => {
    expect(noticesOf({ ...json, ...change })).toEqual([expect.stringMatching(message)]);
  });

  it.each<[object, object, RegExp]>([
    [llama!, { is_causal: false }, /is_causal is false: Keel supports causal models only/],
    [llama!, { add_cross_attention: true }, /add_cross_attention/],
    [llama!, { per_layer_config: { 0: {} } }, /per_layer_config/],
    [llama!, { compression_config: { bits: 4 } }, /compression_config .* as GGUF/],
    [
      llama!,
      { sliding_window: 8 },
      /sliding_window is 8: layers of this family have no sliding window/,
    ],
    [llama!, { layer_types: ['full_attention', 'sliding_attention'] }, /layer_types/],
    [llama!, { partial_rotary_factor: 0.5 }, /partial_rotary_factor is 0.5/],
    [llama!, { rope_parameters: { full_attention: {} } }, /object "full_attention"/],
    [llama!, { architectures: ['LlamaForTokenClassification'] }, /LlamaForTokenClassification/],
    [tinyConfigs.gemma3!, { attn_logit_softcapping: 50 }, /attn_logit_softcapping is 50/],
    [tinyConfigs.gemma3!, { rope_scaling: { type: 'linear', factor: 8 } }, /"linear".*rope_type/],
    [
      tinyConfigs.gemma3!,
      { rope_parameters: { rope_type: 'linear' } },
      /rope_parameters has "rope_type"/,
    ],
    [gemma2!, { sliding_window: null }, /sliding_window is null/],
    [tinyConfigs.qwen2!, { layer_types: ['full_attention', 'sliding_attention'] }, /set no window/],
    [phi3!, { rope_scaling: { type: 'linear', factor: 2 } }, /rope_type is "linear".*longrope/],
    [gpt2!, { hidden_size: 8 }, /hidden_size is 8 and n_embd is 16/],
  ])('are refused with another result: %#', (json, change, message) => {
    expect(() => decoderConfigFrom({ ...json, ...change })).toThrow(ConfigError);
    expect(() => decoderConfigFrom({ ...json, ...change })).toThrow(message);
  });
});
