// GPT-2 (Radford et al. 2019): learned positions, layer norms with bias, an MLP without a gate.
import { z } from 'zod';
import type { DecoderConfig, ModuleNames } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import { activation, count, decoderConfig, layerCount, optionalCount, perLayer } from './fields.ts';

export const gpt2Schema = z.looseObject({
  model_type: z.string(),
  vocab_size: count,
  n_embd: count,
  n_layer: layerCount,
  n_head: count,
  n_positions: count,
  n_inner: optionalCount,
  activation_function: activation.default('gelu_tanh'),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  scale_attn_weights: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(true),
});

const modules: ModuleNames = {
  embedding: 'transformer.wte',
  positions: 'transformer.wpe',
  finalNorm: 'transformer.ln_f',
  head: 'lm_head',
  attentionNorm: 'transformer.h.#.ln_1',
  queryKeyValue: 'transformer.h.#.attn.c_attn',
  attentionOutput: 'transformer.h.#.attn.c_proj',
  mlpNorm: 'transformer.h.#.ln_2',
  gateUp: { form: 'ungated', up: 'transformer.h.#.mlp.c_fc' },
  down: 'transformer.h.#.mlp.c_proj',
};

/** @throws ConfigError */
export function gpt2(json: unknown): DecoderConfig {
  const fields = parseFields(gpt2Schema, json);
  const common = {
    model_type: fields.model_type,
    vocab_size: fields.vocab_size,
    hidden_size: fields.n_embd,
    intermediate_size: fields.n_inner ?? 4 * fields.n_embd,
    num_hidden_layers: fields.n_layer,
    num_attention_heads: fields.n_head,
    max_position_embeddings: fields.n_positions,
    rms_norm_eps: fields.layer_norm_epsilon,
    hidden_act: fields.activation_function,
    tie_word_embeddings: fields.tie_word_embeddings,
  };
  const layers = perLayer(common, () => ({ window: null, rotary: null }));
  const biases = { queryKeyValue: true, attentionOutput: true, mlp: true };
  const base = decoderConfig(common, { layers, modules, biases });
  return {
    ...base,
    norm: { kind: 'layer', epsilon: fields.layer_norm_epsilon, weightOffset: 0 },
    attentionScale: fields.scale_attn_weights ? base.attentionScale : 1,
    transposedLinears: true,
  };
}
