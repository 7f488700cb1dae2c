// Inverse frequencies of rotary embeddings, and methods to extend them to longer contexts.
import { z } from 'zod';
import type { RotaryConfig } from '../decoder-config.ts';
import { ConfigError, parseFields } from './config-error.ts';

const positive = z.number().positive();

const schema = z.looseObject({
  rope_type: z.string().default('default'),
  rope_theta: positive,
  partial_rotary_factor: positive.max(1).default(1),
});

const linearSchema = z.looseObject({ factor: positive });
const llama3Schema = z.looseObject({
  factor: positive,
  low_freq_factor: positive,
  high_freq_factor: positive,
  original_max_position_embeddings: positive.nullish(),
});
const longropeSchema = z.looseObject({
  short_factor: z.array(positive),
  /** Not used: the positions end where it would apply ({@link lastPosition}). */
  long_factor: z.unknown().optional(),
  attention_factor: positive.nullish(),
  factor: positive.nullish(),
  original_max_position_embeddings: positive.nullish(),
});
const yarnSchema = z.looseObject({
  factor: positive.nullish(),
  original_max_position_embeddings: positive.nullish(),
  attention_factor: positive.nullish(),
  // As in transformers, 0 is as absent.
  beta_fast: z.number().nonnegative().nullish(),
  beta_slow: z.number().nonnegative().nullish(),
  mscale: z.number().nonnegative().nullish(),
  mscale_all_dim: z.number().nonnegative().nullish(),
  truncate: z.boolean().optional(),
});

/** From a config.json: the old keys, and the one that transformers 5 writes. */
export interface RotaryFields {
  rope_theta?: number | null | undefined;
  rope_scaling?: Record<string, unknown> | null | undefined;
  rope_parameters?: Record<string, unknown> | null | undefined;
  partial_rotary_factor?: number | null | undefined;
  original_max_position_embeddings?: number | null | undefined;
}

const layerTypes = ['full_attention', 'sliding_attention'];
// The types that extend an original length. As in transformers, config.json's own field takes
// precedence over the object's.
const stretched = ['llama3', 'longrope', 'yarn', 'su'];

/**
 * One object of rotary parameters from either notation. As in transformers, `rope_scaling` takes
 * precedence over `rope_parameters`.
 * @throws ConfigError if the object contains others by layer type
 */
export function rotaryParameters(
  fields: RotaryFields,
  defaultTheta: number,
): Record<string, unknown> {
  const scaling = nonEmpty(fields.rope_scaling) ?? fields.rope_parameters ?? {};
  const nested = layerTypes.find((type) => type in scaling);
  if (nested !== undefined) {
    throw new ConfigError(
      `field rope_parameters has an object "${nested}", but this family has the same rotary embeddings in all layers`,
    );
  }
  const { type, ...rest } = scaling;
  const parameters: Record<string, unknown> = {
    rope_theta: fields.rope_theta ?? defaultTheta,
    ...(fields.partial_rotary_factor == null
      ? {}
      : { partial_rotary_factor: fields.partial_rotary_factor }),
    ...(type === undefined ? {} : { rope_type: type }),
    ...rest,
  };
  const original = fields.original_max_position_embeddings;
  return original == null || !stretched.includes(String(parameters.rope_type))
    ? parameters
    : { ...parameters, original_max_position_embeddings: original };
}

const nonEmpty = (object: Record<string, unknown> | null | undefined) =>
  object != null && Object.keys(object).length > 0 ? object : null;

/** The parameters that {@link rotaryConfig} reads for a `rope_type`; null for an unknown type. */
export function rotaryFieldNames(ropeType: string): string[] | null {
  const own = Object.hasOwn(scalings, ropeType) ? scalings[ropeType] : undefined;
  return own === undefined
    ? null
    : [...Object.keys(schema.shape), 'type', ...Object.keys(own.schema.shape)];
}

export interface RotaryOptions {
  /** Allows a `partial_rotary_factor` below 1, as in Phi-3 (default: true). */
  partial?: boolean;
}

/**
 * Computes a layer's rotary embedding.
 * @param parameters as transformers 5 writes `rope_parameters`
 * @param headSize features of a head; `partial_rotary_factor` of them are rotated
 * @param maxPositions `max_position_embeddings`
 * @throws ConfigError naming the field that is wrong, or an unknown `rope_type`
 */
export function rotaryConfig(
  parameters: Record<string, unknown>,
  headSize: number,
  maxPositions: number,
  { partial = true }: RotaryOptions = {},
): RotaryConfig {
  const { rope_type, rope_theta, partial_rotary_factor } = parseFields(schema, parameters);
  if (!partial && partial_rotary_factor !== 1) {
    throw new ConfigError(
      `field partial_rotary_factor is ${partial_rotary_factor}; this family rotates whole heads only`,
    );
  }
  // The frequencies are computed now, before the weights are checked against the sizes.
  if (headSize > LARGEST_HEAD) {
    throw new ConfigError(
      `field head_dim (or hidden_size / num_attention_heads) is ${headSize}, expected at most ${LARGEST_HEAD}`,
    );
  }
  const size = Math.floor(headSize * partial_rotary_factor);
  if (size % 2 !== 0 || size === 0) {
    throw new ConfigError(
      `rotary embeddings rotate ${size} features of each head, expected an even number`,
    );
  }
  const plain = Array.from({ length: size / 2 }, (_, i) => rope_theta ** ((-2 * i) / size));
  const scaling = Object.hasOwn(scalings, rope_type) ? scalings[rope_type] : undefined;
  if (scaling === undefined) {
    throw new ConfigError(
      `field rope_type is "${rope_type}"; Keel supports ${Object.keys(scalings).join(', ')}`,
    );
  }
  const config = scaling.scale(plain, parameters, maxPositions, rope_theta);
  if ([...config.inverseFrequencies, config.attentionFactor].every(Number.isFinite)) return config;
  throw new ConfigError(
    'the rotary embedding fields (rope_theta, factor and others) give frequencies that are not finite numbers',
  );
}

const LARGEST_HEAD = 65_536;

/**
 * Number of positions for which {@link rotaryConfig} computes the right embedding. LongRoPE has
 * other factors beyond the original length. All other types are valid up to
 * `max_position_embeddings`, the limit that the decoder enforces.
 */
export function lastPosition(parameters: Record<string, unknown>, maxPositions: number): number {
  const { rope_type, original_max_position_embeddings: original } = parameters;
  return rope_type === 'longrope' && typeof original === 'number'
    ? Math.min(original, maxPositions)
    : maxPositions;
}

type Scale = (
  plain: number[],
  parameters: Record<string, unknown>,
  maxPositions: number,
  theta: number,
) => RotaryConfig;

interface Scaling {
  scale: Scale;
  /** The fields that it reads in addition to those of every type. */
  schema: z.ZodObject;
}

const unscaled: Scale = (plain) => ({ inverseFrequencies: plain, attentionFactor: 1 });

/** Position interpolation (Chen et al. 2023, arXiv:2306.15595). */
const linear: Scale = (plain, parameters) => {
  const { factor } = parseFields(linearSchema, parameters);
  return { inverseFrequencies: plain.map((one) => one / factor), attentionFactor: 1 };
};

/** Llama 3.1: long waves are stretched, short ones are not, and those between are blended. */
const llama3: Scale = (plain, parameters, maxPositions) => {
  const fields = parseFields(llama3Schema, parameters);
  const { factor, low_freq_factor: low, high_freq_factor: high } = fields;
  if (high <= low) {
    throw new ConfigError(
      `field high_freq_factor is ${high}, expected more than low_freq_factor ${low}`,
    );
  }
  const original = fields.original_max_position_embeddings ?? maxPositions;
  const inverseFrequencies = plain.map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI);
    const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return (1 - share) * (frequency / factor) + share * frequency;
  });
  return { inverseFrequencies, attentionFactor: 1 };
};

/**
 * LongRoPE (Ding et al. 2024, arXiv:2402.13753): the factors for sequences up to the original
 * length.
 */
const longrope: Scale = (plain, parameters, maxPositions) => {
  const fields = parseFields(longropeSchema, parameters);
  const { short_factor: short } = fields;
  const original = fields.original_max_position_embeddings ?? maxPositions;
  if (short.length !== plain.length) {
    throw new ConfigError(
      `field short_factor has ${short.length} numbers, expected ${plain.length}`,
    );
  }
  const stretch = fields.factor ?? maxPositions / original;
  const byLength = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original));
  return {
    inverseFrequencies: plain.map((frequency, i) => frequency / short[i]!),
    attentionFactor: fields.attention_factor ?? byLength,
  };
};

/** YaRN (Peng et al. 2023, arXiv:2309.00071), sections 3.2 and 3.4. */
const yarn: Scale = (plain, parameters, maxPositions, theta) => {
  const fields = parseFields(yarnSchema, parameters);
  const { mscale, mscale_all_dim: mscaleAll } = fields;
  const original = fields.original_max_position_embeddings ?? maxPositions;
  const factor = fields.factor ?? maxPositions / original;
  const size = 2 * plain.length;
  // The feature whose wave makes this many turns over the original length.
  const featureOf = (turns: number): number =>
    (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [featureOf(fields.beta_fast || 32), featureOf(fields.beta_slow || 1)];
  const whole = fields.truncate ?? true;
  const low = Math.max(0, whole ? Math.floor(first) : first);
  const high = Math.min(size - 1, whole ? Math.ceil(last) : last);
  const inverseFrequencies = plain.map((frequency, i) => {
    const share = Math.min(1, Math.max(0, (i - low) / (high === low ? 0.001 : high - low)));
    return share * (frequency / factor) + (1 - share) * frequency;
  });
  const temperature = (weight: number): number =>
    factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  const byFactor =
    mscale && mscaleAll ? temperature(mscale) / temperature(mscaleAll) : temperature(1);
  return { inverseFrequencies, attentionFactor: fields.attention_factor ?? byFactor };
};

const none = z.looseObject({});

const scalings: Record<string, Scaling | undefined> = {
  default: { scale: unscaled, schema: none },
  // Within max_position_embeddings it has no effect, and the decoder accepts no longer sequences.
  dynamic: { scale: unscaled, schema: linearSchema },
  linear: { scale: linear, schema: linearSchema },
  llama3: { scale: llama3, schema: llama3Schema },
  longrope: { scale: longrope, schema: longropeSchema },
  yarn: { scale: yarn, schema: yarnSchema },
};
