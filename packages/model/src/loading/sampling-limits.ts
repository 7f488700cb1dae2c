// Fields of a model's generation_config.json that change what transformers samples, and that no
// option of Keel stands for.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPlainObject } from '../json/exact-json.ts';

/** Each with the values that change nothing. */
const limits: Readonly<Record<string, readonly unknown[]>> = {
  suppress_tokens: [],
  begin_suppress_tokens: [],
  bad_words_ids: [],
  sequence_bias: [],
  force_words_ids: [],
  constraints: [],
  forced_bos_token_id: [],
  forced_eos_token_id: [],
  forced_decoder_ids: [],
  no_repeat_ngram_size: [0],
  exponential_decay_length_penalty: [],
  min_length: [0],
  typical_p: [1],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
  top_h: [],
  guidance_scale: [1],
  penalty_alpha: [0],
  watermarking_config: [],
  num_beams: [1],
};

/**
 * A notice of the fields of a folder's generation_config.json that have no effect in Keel.
 * @returns null if there are none
 */
export function samplingLimitsNotice(folder: string): string | null {
  const path = join(folder, 'generation_config.json');
  if (!existsSync(path)) return null;
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Whoever needs the file says what is wrong with it.
    return null;
  }
  if (!isPlainObject(config)) return null;
  const found = Object.entries(config)
    .filter(([name, value]) => Object.hasOwn(limits, name) && !isNothing(value, limits[name]!))
    .map(([name]) => name);
  if (found.length === 0) return null;
  return `${path}: Keel does not apply ${found.join(', ')} when it samples, so answers may have what the model's authors exclude`;
}

const isNothing = (value: unknown, neutral: readonly unknown[]): boolean =>
  value === null ||
  neutral.includes(value) ||
  (Array.isArray(value) && value.length === 0) ||
  (isPlainObject(value) && Object.keys(value).length === 0);
