// Phi-3 and Phi-4-mini (Abdin et al. 2024, arXiv:2404.14219): fused projections; long contexts by LongRoPE.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import {
  count,
  decoderConfig,
  decoderFields,
  headSizeOf,
  moduleNames,
  optionalCount,
  perLayer,
} from './fields.ts';
import { rotaryConfig, rotaryParameters } from './rotary.ts';

const schema = z.looseObject({
  ...decoderFields,
  rms_norm_eps: z.number().positive().default(1e-5),
  original_max_position_embeddings: count.default(4096),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  sliding_window: optionalCount,
});

/**
 * Only the short factors of LongRoPE are used: `maxPositions` is then the original length, not the stretched one.
 * @throws ConfigError
 */
export function phi3(json: unknown): DecoderConfig {
  const fields = parseFields(schema, json);
  const original = fields.original_max_position_embeddings;
  const parameters: Record<string, unknown> = {
    original_max_position_embeddings: original,
    ...rotaryParameters(fields, 10_000),
  };
  // Names that early files used for the same.
  if (parameters.rope_type === 'su' || parameters.rope_type === 'yarn') {
    parameters.rope_type = 'longrope';
  }
  const rotary = rotaryConfig(parameters, headSizeOf(fields), fields.max_position_embeddings);
  const window = fields.sliding_window ?? null;
  const base = decoderConfig(
    fields,
    perLayer(fields, () => ({ window, rotary })),
    {
      ...moduleNames,
      queryKeyValue: 'model.layers.#.self_attn.qkv_proj',
      gateUp: 'model.layers.#.mlp.gate_up_proj',
    },
  );
  const limit = parameters.rope_type === 'longrope' ? original : base.maxPositions;
  return { ...base, maxPositions: Math.min(base.maxPositions, limit) };
}
