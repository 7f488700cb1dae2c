// Gemma 3, text (Gemma Team 2025, arXiv:2503.19786): Gemma 2 with head norms for caps, and rotary embeddings by layer type.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import { count, headNormNames, perLayer } from './fields.ts';
import { gemmaConfig, gemmaFields, gemmaModules } from './gemma2.ts';
import { rotaryConfig, rotaryParameters } from './rotary.ts';

const cap = z.number().positive().nullable().default(null);
const schema = z.looseObject({
  ...gemmaFields,
  attn_logit_softcapping: cap,
  final_logit_softcapping: cap,
  rope_local_base_freq: z.number().positive().nullish(),
  sliding_window_pattern: count.nullish(),
});
type Fields = z.output<typeof schema>;

/** @throws ConfigError */
export function gemma3(json: unknown): DecoderConfig {
  const fields = parseFields(schema, json);
  const rotaryOf = (parameters: Record<string, unknown>) =>
    rotaryConfig(parameters, fields.head_dim ?? 256, fields.max_position_embeddings);
  const { full, sliding } = rotaryByLayerType(fields);
  const [fullRotary, slidingRotary] = [rotaryOf(full), rotaryOf(sliding)];
  const { layer_types: types, sliding_window: window = null } = fields;
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
  return gemmaConfig(fields, layers, { ...gemmaModules, ...headNormNames });
}

const nested = z.looseObject({
  full_attention: z.record(z.string(), z.unknown()).nullish(),
  sliding_attention: z.record(z.string(), z.unknown()).nullish(),
});

/** Old files have rope_theta, rope_scaling and rope_local_base_freq; new ones an object for each layer type. */
function rotaryByLayerType(fields: Fields) {
  const { full_attention, sliding_attention } = parseFields(nested, fields.rope_parameters ?? {});
  return {
    full: rotaryParameters({ ...fields, rope_parameters: full_attention ?? null }, 1_000_000),
    sliding: rotaryParameters(
      { rope_theta: fields.rope_local_base_freq, rope_parameters: sliding_attention ?? null },
      10_000,
    ),
  };
}
