// Qwen 2 and 2.5 (Yang et al. 2024, arXiv:2407.10671): Llama with biases on query, key and value.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import {
  decoderConfig,
  decoderFields,
  optionalCount,
  perLayer,
  plainRotary,
  refuseLostWindows,
  windowFields,
} from './fields.ts';

export const qwenFields = {
  ...decoderFields,
  ...windowFields,
  sliding_window: optionalCount.default(4096),
};

export const qwen2Schema = z.looseObject(qwenFields);
type QwenFields = z.output<typeof qwen2Schema>;

/** @throws ConfigError */
export function qwen2(json: unknown): DecoderConfig {
  const fields = parseFields(qwen2Schema, json);
  const biases = { queryKeyValue: true, attentionOutput: false, mlp: false };
  const { layers, maxPositions } = qwenLayers(fields);
  return { ...decoderConfig(fields, { layers, biases }), maxPositions };
}

/** The layers of Qwen 2 and 3: the last ones may use a sliding window. */
export function qwenLayers(fields: QwenFields): Pick<DecoderConfig, 'layers' | 'maxPositions'> {
  const { rotary, maxPositions } = plainRotary(fields, 10_000);
  const window = fields.use_sliding_window ? (fields.sliding_window ?? null) : null;
  const types = fields.layer_types;
  refuseLostWindows(types, window);
  const isSliding = (layer: number): boolean =>
    types ? types[layer] === 'sliding_attention' : layer >= (fields.max_window_layers ?? 28);
  const layers = perLayer(
    fields,
    (layer) => ({ window: isSliding(layer) ? window : null, rotary }),
    { layer_types: types },
  );
  return { layers, maxPositions };
}
