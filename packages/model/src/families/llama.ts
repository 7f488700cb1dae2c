// Llama (Touvron et al. 2023, arXiv:2302.13971), SmolLM2, and with llama3 scaling Llama 3.x (arXiv:2407.21783).
import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { parseFields } from './config-error.ts';
import { decoderConfig, decoderFields, headSizeOf, perLayer } from './fields.ts';
import { rotaryConfig, rotaryParameters } from './rotary.ts';

const schema = z.looseObject(decoderFields);

/** @throws ConfigError */
export function llama(json: unknown): DecoderConfig {
  const fields = parseFields(schema, json);
  const rotary = rotaryConfig(
    rotaryParameters(fields, 10_000),
    headSizeOf(fields),
    fields.max_position_embeddings,
  );
  return decoderConfig(
    fields,
    perLayer(fields, () => ({ window: null, rotary })),
  );
}
