// Qwen 2 and 2.5 (Yang et al. 2024, arXiv:2407.10671): Llama with biases on query, key and value.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import {
  decoderConfig,
  decoderFields,
  headSizeOf,
  optionalCount,
  perLayer,
  windowFields,
} from './fields.ts';
import { rotaryConfig, rotaryParameters } from './rotary.ts';

export const qwenFields = {
  ...decoderFields,
  ...windowFields,
  sliding_window: optionalCount.default(4096),
};

const schema = z.looseObject(qwenFields);
type QwenFields = z.output<typeof schema>;

/** @throws ConfigError */
export function qwen2(json: unknown): DecoderConfig {
  const fields = parseFields(schema, json);
  // Only Qwen 3 reads head_dim.
  const own = { ...fields, head_dim: null };
  return decoderConfig(own, qwenLayers(own));
}

/** The layers of Qwen 2 and 3: the last may look at a window. */
export function qwenLayers(fields: QwenFields): DecoderConfig['layers'] {
  const rotary = rotaryConfig(
    rotaryParameters(fields, 10_000),
    headSizeOf(fields),
    fields.max_position_embeddings,
  );
  const window = fields.use_sliding_window ? (fields.sliding_window ?? null) : null;
  const types = fields.layer_types;
  const isSliding = (layer: number): boolean =>
    types ? types[layer] === 'sliding_attention' : layer >= (fields.max_window_layers ?? 28);
  return perLayer(fields, (layer) => ({ window: isSliding(layer) ? window : null, rotary }), {
    layer_types: types,
  });
}
