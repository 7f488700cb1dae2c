import { rotaryConfig } from '../families/rotary.ts';
import type { GgufFile } from '../formats/gguf.ts';
import type { GgufFields } from './gguf-fields.ts';

/**
 * config.json's `rope_scaling` for a GGUF file, or null.
 * @throws CheckpointError if Keel does not support the scaling
 */
export function ggufRopeScaling(
  fields: GgufFields,
  file: GgufFile,
): Record<string, unknown> | null {
  if (file.has('rope_factors_short.weight')) return longrope(fields, file);
  if (file.has('rope_freqs.weight')) return llama3(fields, file);
  // As in llama.cpp: a factor without a type is linear, and older files have another key.
  const type = fields.text('rope.scaling.type') ?? 'linear';
  const factor =
    fields.optionalNumber('rope.scaling.factor') ?? fields.optionalNumber('rope.scale_linear');
  if (type === 'none' || factor === null || factor === 0) return null;
  if (type === 'linear') return { rope_type: 'linear', factor };
  if (type === 'yarn') {
    return {
      rope_type: 'yarn',
      factor,
      original_max_position_embeddings: fields.count('rope.scaling.original_context_length'),
    };
  }
  return fields.fail(`its rope.scaling.type is "${type}", which Keel does not support`);
}

function longrope(fields: GgufFields, file: GgufFile): Record<string, unknown> {
  const read = (name: string): number[] => Array.from(file.readFloat32(name), short);
  return {
    type: 'longrope',
    short_factor: read('rope_factors_short.weight'),
    ...(file.has('rope_factors_long.weight')
      ? { long_factor: read('rope_factors_long.weight') }
      : {}),
    ...attentionFactor(fields.optionalNumber('rope.scaling.attn_factor')),
  };
}

const attentionFactor = (factor: number | null) =>
  factor === null ? {} : { attention_factor: factor };

/**
 * The file contains only the quotients. All published models with this scaling share these three
 * numbers.
 */
function llama3(fields: GgufFields, file: GgufFile): Record<string, unknown> {
  const quotients = file.readFloat32('rope_freqs.weight');
  const factor = short(Math.max(...quotients));
  const scaling = {
    rope_type: 'llama3',
    factor,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const theta = fields.optionalNumber('rope.freq_base') ?? 10_000;
  const size = 2 * quotients.length;
  const plain = rotaryConfig({ rope_theta: theta }, size, 1).inverseFrequencies;
  const scaled = rotaryConfig({ rope_theta: theta, ...scaling }, size, 1).inverseFrequencies;
  const differs = quotients.some((quotient, i) => {
    const expected = plain[i]! / scaled[i]!;
    return Math.abs(quotient - expected) > 1e-3 * expected;
  });
  if (differs) {
    fields.fail(
      'its rope_freqs.weight is not the scaling of Llama 3.x, the only one that Keel can read from this tensor',
    );
  }
  return scaling;
}

const short = (value: number): number => Number(value.toPrecision(7));
