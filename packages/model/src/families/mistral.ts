// Mistral (Jiang et al. 2023, arXiv:2310.06825): Llama whose layers may all look at a window of the past.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import { decoderConfig, decoderFields, headSizeOf, optionalCount, perLayer } from './fields.ts';
import { rotaryConfig, rotaryParameters } from './rotary.ts';

const schema = z.looseObject({
  ...decoderFields,
  num_key_value_heads: optionalCount.default(8),
  sliding_window: optionalCount.default(4096),
});

/** @throws ConfigError */
export function mistral(json: unknown): DecoderConfig {
  const fields = parseFields(schema, json);
  const rotary = rotaryConfig(
    rotaryParameters(fields, 10_000),
    headSizeOf(fields),
    fields.max_position_embeddings,
  );
  const window = fields.sliding_window ?? null;
  return decoderConfig(
    fields,
    perLayer(fields, () => ({ window, rotary })),
  );
}
