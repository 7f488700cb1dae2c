// A model's rotary embeddings as metadata and tensors of a GGUF file.
import type { DecoderConfig } from '../decoder-config.ts';
import { rotaryConfig, rotaryParameters } from '../families/rotary.ts';
import type { GgufValue } from '../formats/gguf-writer.ts';
import { ExportError } from './export-error.ts';

type Json = Readonly<Record<string, unknown>>;

export interface GgufRotary {
  /** Metadata without the architecture's prefix. */
  fields: [string, GgufValue][];
  /** Vectors by name. */
  tensors: [string, readonly number[]][];
}

// transformers' defaults.
const defaultTheta: Record<string, number> = { smollm3: 2_000_000, gemma3_text: 1_000_000 };

const float = (value: number): GgufValue => ({ type: 'float32', value });
const count = (value: number): GgufValue => ({ type: 'uint32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });

/** @throws ExportError for a scaling that llama.cpp does not have */
export function ggufRotary(config: DecoderConfig, json: Json): GgufRotary {
  const theta = defaultTheta[config.family] ?? 10_000;
  if (config.family === 'gemma3_text') return gemma3(config, json, theta);
  return ofParameters(config, rotaryParameters(json, theta), json);
}

/** Full and sliding layers have their own frequencies; only the full ones are scaled. */
function gemma3(config: DecoderConfig, json: Json, theta: number): GgufRotary {
  const nested = (json.rope_parameters ?? {}) as Record<string, Json | undefined>;
  const { full_attention: full = {}, sliding_attention: sliding = {} } = nested;
  const fullParameters = rotaryParameters(
    {
      rope_theta: json.rope_theta as number | undefined,
      rope_parameters: { ...full, ...((json.rope_scaling ?? {}) as Json) },
    },
    theta,
  );
  const local = sliding.rope_theta ?? json.rope_local_base_freq ?? 10_000;
  const type = sliding.rope_type ?? 'default';
  if (type !== 'default') {
    throw new ExportError(
      `rope_parameters scales sliding_attention (rope_type "${type}"), which llama.cpp does not do`,
    );
  }
  const { fields, tensors } = ofParameters(config, fullParameters, json);
  return { fields: [...fields, ['rope.freq_base_swa', float(Number(local))]], tensors };
}

function ofParameters(config: DecoderConfig, parameters: Json, json: Json): GgufRotary {
  const fields: GgufRotary['fields'] = [['rope.freq_base', float(Number(parameters.rope_theta))]];
  const type = String(parameters.rope_type ?? 'default');
  const factor = Number(parameters.factor);
  const positions = Number(json.max_position_embeddings);
  switch (type === 'su' ? 'longrope' : type) {
    case 'default':
      return { fields, tensors: [] };
    case 'linear':
      fields.push(['rope.scaling.type', text('linear')], ['rope.scaling.factor', float(factor)]);
      return { fields, tensors: [] };
    case 'yarn':
      return { fields: [...fields, ...yarn(parameters, positions)], tensors: [] };
    case 'llama3': {
      refuseOther(parameters, { low_freq_factor: 1, high_freq_factor: 4, ...llama3Original });
      const plain = rotaryConfig(
        { rope_theta: parameters.rope_theta, rope_type: 'default' },
        config.headSize,
        positions,
      ).inverseFrequencies;
      const scaled = rotaryConfig(parameters, config.headSize, positions).inverseFrequencies;
      const quotients = plain.map((one, index) => one / scaled[index]!);
      return { fields, tensors: [['rope_freqs.weight', quotients]] };
    }
    case 'longrope':
      return longrope(config, parameters, fields, positions);
    default:
      throw new ExportError(`rope_type "${type}" has no counterpart in GGUF`);
  }
}

// Readers of the file know these by heart: it contains only the quotients of the frequencies.
const llama3Original = { original_max_position_embeddings: 8192 };

/** @throws ExportError if a rotary parameter is set to another value than the usual one */
function refuseOther(parameters: Json, usual: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(usual)) {
    const own = parameters[name];
    if (own == null || own === value) continue;
    const only = value === undefined ? 'its default' : value;
    throw new ExportError(
      `the rotary embeddings (rope_type ${parameters.rope_type}) have ${name} ${own}, and Keel exports only ${only}`,
    );
  }
}

function yarn(parameters: Json, positions: number): GgufRotary['fields'] {
  refuseOther(parameters, {
    ...{ beta_fast: 32, beta_slow: 1, truncate: true },
    ...{ attention_factor: undefined, mscale: undefined, mscale_all_dim: undefined },
  });
  const original = parameters.original_max_position_embeddings ?? positions;
  return [
    ['rope.scaling.type', text('yarn')],
    ['rope.scaling.factor', float(Number(parameters.factor))],
    ['rope.scaling.original_context_length', count(Number(original))],
  ];
}

function longrope(
  config: DecoderConfig,
  parameters: Json,
  fields: GgufRotary['fields'],
  positions: number,
): GgufRotary {
  const { short_factor: short, long_factor: long } = parameters;
  if (!Array.isArray(short) || !Array.isArray(long)) {
    throw new ExportError('longrope needs short_factor and long_factor in config.json');
  }
  const original = Number(parameters.original_max_position_embeddings ?? positions);
  const factor = config.layers.find(({ rotary }) => rotary !== null)?.rotary?.attentionFactor ?? 1;
  return {
    fields: [
      ...fields,
      ['rope.scaling.type', text('longrope')],
      ['rope.scaling.original_context_length', count(original)],
      ['rope.scaling.attn_factor', float(factor)],
    ],
    tensors: [
      ['rope_factors_long.weight', long as number[]],
      ['rope_factors_short.weight', short as number[]],
    ],
  };
}
