// Llama (Touvron et al. 2023, arXiv:2302.13971), SmolLM2, and, with llama3 scaling, Llama 3.x
// (arXiv:2407.21783).
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import {
  biasesOf,
  biasFields,
  decoderConfig,
  decoderFields,
  perLayer,
  plainRotary,
} from './fields.ts';

export const llamaSchema = z.looseObject({ ...decoderFields, ...biasFields });

/** @throws ConfigError */
export function llama(json: unknown): DecoderConfig {
  const fields = parseFields(llamaSchema, json);
  const { rotary, maxPositions } = plainRotary(fields, 10_000);
  const layers = perLayer(fields, () => ({ window: null, rotary }));
  return { ...decoderConfig(fields, { layers, biases: biasesOf(fields) }), maxPositions };
}
