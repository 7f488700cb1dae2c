import { z } from 'zod';
import type { DecoderConfig } from '../decoder-config.ts';
import { ConfigError, parseFields } from './config-error.ts';
import { checkFields } from './config-fields.ts';
import { gemma2, gemma2Schema } from './gemma2.ts';
import { gemma3, gemma3Schema } from './gemma3.ts';
import { gpt2, gpt2Schema } from './gpt2.ts';
import { llama, llamaSchema } from './llama.ts';
import { mistral, mistralSchema } from './mistral.ts';
import { phi3, phi3Schema } from './phi3.ts';
import { qwen2, qwen2Schema } from './qwen2.ts';
import { qwen3, qwen3Schema } from './qwen3.ts';
import { smollm3, smollm3Schema } from './smollm3.ts';

interface Family {
  configure: (json: unknown) => DecoderConfig;
  /** Its shape lists the fields that `configure` reads. */
  schema: z.ZodObject;
  /**
   * transformers' classes of the language model and of the decoder below its head, as in
   * `architectures`.
   */
  architecture: string;
  base: string;
}

/** By config.json's model_type. */
const families: Record<string, Family | undefined> = {
  llama: family('Llama', llama, llamaSchema),
  mistral: family('Mistral', mistral, mistralSchema),
  qwen2: family('Qwen2', qwen2, qwen2Schema),
  qwen3: family('Qwen3', qwen3, qwen3Schema),
  gemma2: family('Gemma2', gemma2, gemma2Schema),
  gemma3_text: { ...family('Gemma3', gemma3, gemma3Schema), base: 'Gemma3TextModel' },
  smollm3: family('SmolLM3', smollm3, smollm3Schema),
  phi3: family('Phi3', phi3, phi3Schema),
  gpt2: { ...family('GPT2', gpt2, gpt2Schema), architecture: 'GPT2LMHeadModel' },
};

function family(
  name: string,
  configure: (json: unknown) => DecoderConfig,
  schema: z.ZodObject,
): Family {
  return { configure, schema, architecture: `${name}ForCausalLM`, base: `${name}Model` };
}

const schema = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  pad_token_id: z.number().int().nullish(),
});

/**
 * Reads a decoder's configuration from a parsed config.json.
 * @param notice receives a sentence on fields that have no effect here
 * @throws ConfigError naming the field that is missing, wrong or not supported; for an unknown
 *   `model_type`, listing the known families
 */
export function decoderConfigFrom(
  json: unknown,
  notice: (text: string) => void = () => {},
): DecoderConfig {
  const { model_type, architectures, pad_token_id } = parseFields(schema, json);
  const family = familyOf(model_type);
  for (const one of architectures ?? []) refuseOtherHeads(one, family);
  const read = new Set(Object.keys(family.schema.shape));
  const notices = checkFields(json as Record<string, unknown>, model_type, read);
  const config = family.configure(json);
  for (const text of notices) notice(text);
  // transformers makes the pad token's row an nn.Embedding padding_idx in all families but GPT-2.
  const untrainedToken = model_type === 'gpt2' ? null : (pad_token_id ?? null);
  return { ...config, untrainedToken };
}

/**
 * The fields of a config.json that a family's schema reads. @throws ConfigError for an unknown
 * `model_type`
 */
export const fieldsRead = (modelType: string): ReadonlySet<string> =>
  new Set(Object.keys(familyOf(modelType).schema.shape));

/**
 * transformers' class of a family, for `architectures`. @throws ConfigError for an unknown
 * `model_type`
 */
export const architectureOf = (modelType: string): string => familyOf(modelType).architecture;

/**
 * transformers chooses the class by `model_type`, so a language model named as another family's is
 * accepted. A model with another kind of head is not, since that head would be left out.
 */
function refuseOtherHeads(name: string, { architecture, base }: Family): void {
  const isFine = name === base || /(ForCausalLM|LMHeadModel|ForSequenceClassification)$/.test(name);
  if (isFine) return;
  throw new ConfigError(
    `field architectures names ${name}; Keel supports ${architecture} and the sequence classifier of this family`,
  );
}

function familyOf(modelType: string): Family {
  const family = Object.hasOwn(families, modelType) ? families[modelType] : undefined;
  if (family) return family;
  throw new ConfigError(
    `field model_type is "${modelType}"; Keel supports ${Object.keys(families).join(', ')}`,
  );
}
