// Gemma 3, text (Gemma Team 2025, arXiv:2503.19786): Gemma 2 with head norms instead of caps, and
// rotary embeddings by layer type.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { ConfigError, parseFields } from './config-error.ts';
import { count, headNormNames, perLayer } from './fields.ts';
import { gemmaConfig, gemmaFields, gemmaModules, refuseNoWindow } from './gemma2.ts';
import { lastPosition, rotaryConfig, rotaryParameters } from './rotary.ts';

// This family reads original lengths only from rope_parameters.
const { original_max_position_embeddings: _, ...ownFields } = gemmaFields;

export const gemma3Schema = z.looseObject({
  ...ownFields,
  // transformers has the field but does not apply a cap.
  attn_logit_softcapping: z.null().default(null),
  final_logit_softcapping: z.number().positive().nullable().default(null),
  rope_local_base_freq: z.number().positive().nullish(),
  sliding_window_pattern: count.nullish(),
});
type Fields = z.output<typeof gemma3Schema>;

/** @throws ConfigError */
export function gemma3(json: unknown): DecoderConfig {
  const fields = parseFields(gemma3Schema, json);
  const { max_position_embeddings: positions } = fields;
  const rotaryOf = (parameters: Record<string, unknown>) =>
    rotaryConfig(parameters, fields.head_dim, positions, { partial: false });
  const { full, sliding } = rotaryByLayerType(fields);
  const [fullRotary, slidingRotary] = [rotaryOf(full), rotaryOf(sliding)];
  const { layer_types: types, sliding_window: window = null } = fields;
  refuseNoWindow(window);
  const layers = perLayer(
    fields,
    (layer) => {
      const slides = types
        ? types[layer] === 'sliding_attention'
        : (layer + 1) % (fields.sliding_window_pattern ?? 6) !== 0;
      return slides ? { window, rotary: slidingRotary } : { window: null, rotary: fullRotary };
    },
    { layer_types: types },
  );
  const maxPositions = Math.min(lastPosition(full, positions), lastPosition(sliding, positions));
  return {
    ...gemmaConfig(fields, layers, { ...gemmaModules, ...headNormNames }),
    maxPositions,
  };
}

const nested = z.looseObject({
  full_attention: z.record(z.string(), z.unknown()).nullish(),
  sliding_attention: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Old files have rope_theta, rope_scaling and rope_local_base_freq; new ones have an object for
 * each layer type.
 */
function rotaryByLayerType(fields: Fields) {
  const { full_attention, sliding_attention, ...others } = parseFields(
    nested,
    fields.rope_parameters ?? {},
  );
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new ConfigError(
      `field rope_parameters has "${other}", expected an object for each layer type: full_attention, sliding_attention`,
    );
  }
  const { rope_type: scalingType, type = scalingType } = fields.rope_scaling ?? {};
  if (type !== scalingType) {
    throw new ConfigError(
      `field rope_scaling has type "${type}", which transformers ignores in this family. Rename it to rope_type, or remove rope_scaling`,
    );
  }
  const { partial_rotary_factor } = fields;
  return {
    full: rotaryParameters(
      {
        partial_rotary_factor,
        rope_theta: fields.rope_theta,
        // transformers merges them in this way.
        rope_parameters: { ...full_attention, ...fields.rope_scaling },
      },
      1_000_000,
    ),
    sliding: rotaryParameters(
      {
        partial_rotary_factor,
        rope_theta: fields.rope_local_base_freq,
        rope_parameters: sliding_attention ?? null,
      },
      10_000,
    ),
  };
}
