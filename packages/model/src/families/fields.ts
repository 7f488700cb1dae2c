// The config.json fields that most families share, and the parts that most decoders are built from.
import { z } from 'zod';
import type {
  Activation,
  Biases,
  DecoderConfig,
  LayerConfig,
  ModuleNames,
  RotaryConfig,
} from '../decoder-config.ts';
import { ConfigError } from './config-error.ts';
import { lastPosition, type RotaryFields, rotaryConfig, rotaryParameters } from './rotary.ts';

export const count = z.int().positive();
// Bounded, so that a damaged file cannot ask for an endless list of layers.
export const layerCount = count.max(10_000);
export const optionalCount = count.nullish();
export const ropeObject = z.record(z.string(), z.unknown()).nullish();

const activationNames: Record<string, Activation> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  relu: 'relu',
};
export const activation = z
  .enum(Object.keys(activationNames) as [string, ...string[]])
  .transform((name) => activationNames[name]!);

/** With transformers' names. A family replaces the fields whose defaults differ. */
export const decoderFields = {
  model_type: z.string(),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: layerCount,
  num_attention_heads: count,
  num_key_value_heads: optionalCount,
  head_dim: optionalCount,
  max_position_embeddings: count,
  rms_norm_eps: z.number().positive().default(1e-6),
  hidden_act: activation.default('silu'),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeObject,
  rope_parameters: ropeObject,
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  original_max_position_embeddings: optionalCount,
};

const decoderSchema = z.looseObject(decoderFields);
export type DecoderFields = z.output<typeof decoderSchema>;

/** Fields of families in which some layers may use a sliding window. */
export const windowFields = {
  use_sliding_window: z.boolean().default(false),
  sliding_window: optionalCount,
  max_window_layers: z.int().nonnegative().nullish(),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
};

export const headSizeOf = (
  fields: Pick<DecoderFields, 'head_dim' | 'hidden_size' | 'num_attention_heads'>,
): number => fields.head_dim ?? Math.floor(fields.hidden_size / fields.num_attention_heads);

/**
 * The same rotary embeddings for all layers, over whole heads, and the number of positions that
 * they support.
 */
export function plainRotary(
  fields: DecoderFields & RotaryFields,
  defaultTheta: number,
): { rotary: RotaryConfig; maxPositions: number } {
  const positions = fields.max_position_embeddings;
  const parameters = rotaryParameters(fields, defaultTheta);
  return {
    rotary: rotaryConfig(parameters, headSizeOf(fields), positions, { partial: false }),
    maxPositions: lastPosition(parameters, positions),
  };
}

/** @throws ConfigError if layers are marked as sliding-window layers, but no window is set */
export function refuseLostWindows(
  types: readonly string[] | null | undefined,
  window: number | null,
): void {
  if (window !== null || !types?.includes('sliding_attention')) return;
  throw new ConfigError(
    'field layer_types has sliding_attention, but use_sliding_window and sliding_window set no window',
  );
}

/** Fields of families whose linear modules have optional biases. */
export const biasFields = {
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
};

/** The biases that `attention_bias` and `mlp_bias` request. */
export const biasesOf = ({
  attention_bias: attention = false,
  mlp_bias: mlp = false,
}: {
  attention_bias?: boolean;
  mlp_bias?: boolean;
}): Biases => ({ queryKeyValue: attention, attentionOutput: attention, mlp });

export interface DecoderParts {
  layers: readonly LayerConfig[];
  /** Default: Llama's. */
  modules?: ModuleNames;
  /** Default: none. */
  biases?: Biases;
}

/** A Llama-shaped decoder with these fields, without family-specific scales and caps. */
export function decoderConfig(
  fields: DecoderFields,
  { layers, modules = moduleNames, biases = biasesOf({}) }: DecoderParts,
): DecoderConfig {
  const heads = fields.num_attention_heads;
  const keyValueHeads = fields.num_key_value_heads ?? heads;
  if (heads % keyValueHeads !== 0) {
    throw new ConfigError(
      `field num_attention_heads is ${heads}, expected a multiple of num_key_value_heads ${keyValueHeads}`,
    );
  }
  if (fields.head_dim == null && fields.hidden_size % heads !== 0) {
    throw new ConfigError(
      `field hidden_size is ${fields.hidden_size}, expected a multiple of num_attention_heads ${heads}`,
    );
  }
  const headSize = headSizeOf(fields);
  return {
    family: fields.model_type,
    vocabularySize: fields.vocab_size,
    hiddenSize: fields.hidden_size,
    intermediateSize: fields.intermediate_size,
    heads,
    keyValueHeads,
    headSize,
    maxPositions: fields.max_position_embeddings,
    layers,
    norm: { kind: 'rms', epsilon: fields.rms_norm_eps, weightOffset: 0 },
    attentionScale: headSize ** -0.5,
    attentionSoftcap: null,
    logitSoftcap: null,
    activation: fields.hidden_act,
    embeddingScale: 1,
    tieEmbeddings: fields.tie_word_embeddings,
    biases,
    modules,
    transposedLinears: false,
  };
}

/** Names in Llama and the families derived from it. */
export const moduleNames: ModuleNames = {
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
  mlpNorm: 'model.layers.#.post_attention_layernorm',
  gateUp: {
    form: 'gated',
    gate: 'model.layers.#.mlp.gate_proj',
    up: 'model.layers.#.mlp.up_proj',
  },
  down: 'model.layers.#.mlp.down_proj',
};

/** Norms of each head's queries and keys, for families that have them. */
export const headNormNames = {
  queryNorm: 'model.layers.#.self_attn.q_norm',
  keyNorm: 'model.layers.#.self_attn.k_norm',
};

/** One element for each layer. @throws ConfigError if a field's list has another length */
export function perLayer<T>(
  fields: { num_hidden_layers: number },
  make: (layer: number) => T,
  lists: Record<string, readonly unknown[] | null | undefined> = {},
): T[] {
  const layers = fields.num_hidden_layers;
  for (const [name, list] of Object.entries(lists)) {
    if (list != null && list.length !== layers) {
      throw new ConfigError(
        `field ${name} has ${list.length} elements, expected one for each of the ${layers} layers`,
      );
    }
  }
  return Array.from({ length: layers }, (_, layer) => make(layer));
}
