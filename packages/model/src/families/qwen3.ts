// Qwen 3 (Yang et al. 2025, arXiv:2505.09388): Qwen 2 without biases, with norms on each head's queries and keys.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import { decoderConfig, headNormNames, moduleNames, optionalCount } from './fields.ts';
import { qwenFields, qwenLayers } from './qwen2.ts';

const schema = z.looseObject({ ...qwenFields, head_dim: optionalCount.default(128) });

/** @throws ConfigError */
export function qwen3(json: unknown): DecoderConfig {
  const fields = parseFields(schema, json);
  return decoderConfig(fields, qwenLayers(fields), { ...moduleNames, ...headNormNames });
}
