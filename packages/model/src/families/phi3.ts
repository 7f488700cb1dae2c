// Phi-3 and Phi-4-mini (Abdin et al. 2024, arXiv:2404.14219): fused projections; LongRoPE for long
// contexts.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { ConfigError, parseFields } from './config-error.ts';
import {
  count,
  decoderConfig,
  decoderFields,
  headSizeOf,
  moduleNames,
  optionalCount,
  perLayer,
} from './fields.ts';
import { lastPosition, rotaryConfig, rotaryParameters } from './rotary.ts';

export const phi3Schema = z.looseObject({
  ...decoderFields,
  rms_norm_eps: z.number().positive().default(1e-5),
  original_max_position_embeddings: count.default(4096),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  sliding_window: optionalCount,
});

/**
 * Only LongRoPE's short factors are used: `maxPositions` is then the original length, not the
 * extended one.
 * @throws ConfigError
 */
export function phi3(json: unknown): DecoderConfig {
  const fields = parseFields(phi3Schema, json);
  const { max_position_embeddings: positions } = fields;
  const parameters = rotaryParameters(fields, 10_000);
  // Early files have other names for longrope.
  if (parameters.rope_type === 'su' || parameters.rope_type === 'yarn') {
    parameters.rope_type = 'longrope';
  }
  const type = parameters.rope_type ?? 'default';
  if (type !== 'default' && type !== 'longrope') {
    throw new ConfigError(`field rope_type is "${type}", expected default or longrope for Phi-3`);
  }
  const rotary = rotaryConfig(parameters, headSizeOf(fields), positions);
  const window = fields.sliding_window ?? null;
  const layers = perLayer(fields, () => ({ window, rotary }));
  const modules = {
    ...moduleNames,
    queryKeyValue: 'model.layers.#.self_attn.qkv_proj',
    gateUp: { form: 'fused' as const, both: 'model.layers.#.mlp.gate_up_proj' },
  };
  const maxPositions = lastPosition(parameters, positions);
  return { ...decoderConfig(fields, { layers, modules }), maxPositions };
}
