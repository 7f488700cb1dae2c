// Mistral (Jiang et al. 2023, arXiv:2310.06825): Llama with an optional sliding window in all
// layers.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import { decoderConfig, decoderFields, optionalCount, perLayer, plainRotary } from './fields.ts';

export const mistralSchema = z.looseObject({
  ...decoderFields,
  num_key_value_heads: optionalCount.default(8),
  sliding_window: optionalCount.default(4096),
});

/** @throws ConfigError */
export function mistral(json: unknown): DecoderConfig {
  const fields = parseFields(mistralSchema, json);
  const { rotary, maxPositions } = plainRotary(fields, 10_000);
  const window = fields.sliding_window ?? null;
  const layers = perLayer(fields, () => ({ window, rotary }));
  return { ...decoderConfig(fields, { layers }), maxPositions };
}
