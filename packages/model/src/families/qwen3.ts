// Qwen 3 (Yang et al. 2025, arXiv:2505.09388): Qwen 2 without biases, with norms on each head's
// queries and keys.
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import {
  biasesOf,
  biasFields,
  count,
  decoderConfig,
  headNormNames,
  moduleNames,
} from './fields.ts';
import { qwenFields, qwenLayers } from './qwen2.ts';

export const qwen3Schema = z.looseObject({
  ...qwenFields,
  head_dim: count.default(128),
  attention_bias: biasFields.attention_bias,
});

/** @throws ConfigError */
export function qwen3(json: unknown): DecoderConfig {
  const fields = parseFields(qwen3Schema, json);
  const { layers, maxPositions } = qwenLayers(fields);
  const modules = { ...moduleNames, ...headNormNames };
  return {
    ...decoderConfig(fields, {
      layers,
      modules,
      biases: biasesOf({ attention_bias: fields.attention_bias }),
    }),
    maxPositions,
  };
}
