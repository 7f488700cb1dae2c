// SmolLM3 (Hugging Face 2025): Llama without position embeddings in every fourth layer (NoPE,
// arXiv:2501.18795).
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import {
  biasesOf,
  biasFields,
  count,
  decoderConfig,
  decoderFields,
  optionalCount,
  perLayer,
  plainRotary,
  refuseLostWindows,
  windowFields,
} from './fields.ts';

const { max_window_layers: _, ...ownWindowFields } = windowFields;

export const smollm3Schema = z.looseObject({
  ...decoderFields,
  ...ownWindowFields,
  ...biasFields,
  num_key_value_heads: optionalCount.default(4),
  tie_word_embeddings: z.boolean().default(true),
  /** 1: the layer has rotary embeddings. */
  no_rope_layers: z.array(z.union([z.literal(0), z.literal(1)])).nullish(),
  no_rope_layer_interval: count.default(4),
});

/** @throws ConfigError */
export function smollm3(json: unknown): DecoderConfig {
  const fields = parseFields(smollm3Schema, json);
  const { rotary, maxPositions } = plainRotary(fields, 2_000_000);
  const { layer_types: types, no_rope_layers: flags } = fields;
  const window = fields.use_sliding_window ? (fields.sliding_window ?? null) : null;
  refuseLostWindows(types, window);
  const layers = perLayer(
    fields,
    (layer) => {
      const turns = flags ? flags[layer] === 1 : (layer + 1) % fields.no_rope_layer_interval !== 0;
      const slides = types ? types[layer] === 'sliding_attention' : !turns;
      return { window: slides ? window : null, rotary: turns ? rotary : null };
    },
    { layer_types: types, no_rope_layers: flags },
  );
  return { ...decoderConfig(fields, { layers, biases: biasesOf(fields) }), maxPositions };
}
