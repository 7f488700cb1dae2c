import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { ConfigError, parseFields } from './config-error.ts';
import { gemma2 } from './gemma2.ts';
import { gemma3 } from './gemma3.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import { smollm3 } from './smollm3.ts';

interface Family {
  configure: (json: unknown) => DecoderConfig;
  /** transformers' class, as config.json's `architectures` names it. */
  architecture: string;
}

/** By config.json's model_type. */
const families: Record<string, Family | undefined> = {
  llama: { configure: llama, architecture: 'LlamaForCausalLM' },
  mistral: { configure: mistral, architecture: 'MistralForCausalLM' },
  qwen2: { configure: qwen2, architecture: 'Qwen2ForCausalLM' },
  qwen3: { configure: qwen3, architecture: 'Qwen3ForCausalLM' },
  gemma2: { configure: gemma2, architecture: 'Gemma2ForCausalLM' },
  gemma3_text: { configure: gemma3, architecture: 'Gemma3ForCausalLM' },
  smollm3: { configure: smollm3, architecture: 'SmolLM3ForCausalLM' },
  phi3: { configure: phi3, architecture: 'Phi3ForCausalLM' },
  gpt2: { configure: gpt2, architecture: 'GPT2LMHeadModel' },
};

const schema = z.looseObject({
  model_type: z.string(),
  quantization_config: z.unknown().optional(),
  pad_token_id: z.number().int().nullish(),
});

/**
 * What a parsed config.json says of a decoder.
 * @throws ConfigError naming the field that is missing or wrong, or the known families where `model_type` is none of them
 */
export function decoderConfigFrom(json: unknown): DecoderConfig {
  const { model_type, quantization_config, pad_token_id } = parseFields(schema, json);
  const family = familyOf(model_type);
  if (quantization_config != null) {
    throw new ConfigError(
      'field quantization_config is set: Keel reads unquantised weights, or quantised ones as GGUF',
    );
  }
  // transformers makes the pad token's row an nn.Embedding padding_idx everywhere but in GPT-2.
  const untrainedToken = model_type === 'gpt2' ? null : (pad_token_id ?? null);
  return { ...family.configure(json), untrainedToken };
}

/** transformers' class of a family, for `architectures`. @throws ConfigError for an unknown `model_type` */
export const architectureOf = (modelType: string): string => familyOf(modelType).architecture;

function familyOf(modelType: string): Family {
  const family = Object.hasOwn(families, modelType) ? families[modelType] : undefined;
  if (family) return family;
  throw new ConfigError(
    `field model_type is "${modelType}"; Keel knows ${Object.keys(families).join(', ')}`,
  );
}
