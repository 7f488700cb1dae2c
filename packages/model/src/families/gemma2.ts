// Gemma 2 (Gemma Team 2024, arXiv:2408.00118): norms before and after each part, soft caps, and a
// sliding window in every other layer.
import { z } from 'zod';
import type { DecoderConfig, ModuleNames } from '../decoder-config.ts';
import { ConfigError, parseFields } from './config-error.ts';
import {
  activation,
  biasesOf,
  biasFields,
  count,
  decoderConfig,
  decoderFields,
  optionalCount,
  perLayer,
  windowFields,
} from './fields.ts';
import { lastPosition, rotaryConfig, rotaryParameters } from './rotary.ts';

// Early files have hidden_act "gelu"; the family reads only hidden_activation.
const { hidden_act: _, ...ownFields } = decoderFields;

export const gemmaFields = {
  ...ownFields,
  attention_bias: biasFields.attention_bias,
  layer_types: windowFields.layer_types,
  num_key_value_heads: count.default(4),
  head_dim: count.default(256),
  hidden_activation: activation.nullish(),
  tie_word_embeddings: z.boolean().default(true),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: optionalCount.default(4096),
  use_bidirectional_attention: z.boolean().nullish(),
};

const cap = z.number().positive().nullable();
export const gemma2Schema = z.looseObject({
  ...gemmaFields,
  attn_logit_softcapping: cap.default(50),
  final_logit_softcapping: cap.default(30),
});

export const gemmaModules: ModuleNames = {
  embedding: 'model.embed_tokens',
  finalNorm: 'model.norm',
  head: 'lm_head',
  attentionNorm: 'model.layers.#.input_layernorm',
  queryKeyValue: {
    query: 'model.layers.#.self_attn.q_proj',
    key: 'model.layers.#.self_attn.k_proj',
    value: 'model.layers.#.self_attn.v_proj',
  },
  attentionOutput: 'model.layers.#.self_attn.o_proj',
  postAttentionNorm: 'model.layers.#.post_attention_layernorm',
  mlpNorm: 'model.layers.#.pre_feedforward_layernorm',
  gateUp: {
    form: 'gated',
    gate: 'model.layers.#.mlp.gate_proj',
    up: 'model.layers.#.mlp.up_proj',
  },
  down: 'model.layers.#.mlp.down_proj',
  postMlpNorm: 'model.layers.#.post_feedforward_layernorm',
};

export interface GemmaFields extends z.output<z.ZodObject<typeof gemmaFields>> {
  attn_logit_softcapping: number | null;
  final_logit_softcapping: number | null;
}

/** @throws ConfigError: this family has sliding-window layers */
export function refuseNoWindow(window: number | null): asserts window is number {
  if (window === null) throw new ConfigError('field sliding_window is null, expected a number');
}

/** What Gemma 2 and 3 share. */
export function gemmaConfig(
  fields: GemmaFields,
  layers: DecoderConfig['layers'],
  modules: ModuleNames,
): DecoderConfig {
  if (fields.use_bidirectional_attention) {
    throw new ConfigError(
      'field use_bidirectional_attention is true; Keel supports causal models only',
    );
  }
  const base = decoderConfig(
    { ...fields, hidden_act: fields.hidden_activation ?? 'gelu_tanh' },
    { layers, modules, biases: biasesOf({ attention_bias: fields.attention_bias }) },
  );
  return {
    ...base,
    norm: { ...base.norm, weightOffset: 1 },
    attentionScale: fields.query_pre_attn_scalar ** -0.5,
    attentionSoftcap: fields.attn_logit_softcapping,
    logitSoftcap: fields.final_logit_softcapping,
    embeddingScale: Math.sqrt(fields.hidden_size),
  };
}

/** @throws ConfigError */
export function gemma2(json: unknown): DecoderConfig {
  const fields = parseFields(gemma2Schema, json);
  const { max_position_embeddings: positions, head_dim: size } = fields;
  const parameters = rotaryParameters(fields, 10_000);
  const rotary = rotaryConfig(parameters, size, positions, { partial: false });
  const { layer_types: types, sliding_window: window = null } = fields;
  refuseNoWindow(window);
  const layers = perLayer(
    fields,
    (layer) => {
      const slides = types ? types[layer] === 'sliding_attention' : layer % 2 === 0;
      return { window: slides ? window : null, rotary };
    },
    { layer_types: types },
  );
  const maxPositions = lastPosition(parameters, positions);
  return { ...gemmaConfig(fields, layers, gemmaModules), maxPositions };
}
