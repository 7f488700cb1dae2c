// Fields that requests for completions and for chats have in common. A field that is not in a
// schema is refused by name; so is a value that the server cannot honour.
import type { GenerateOptions } from '@keel/model';
import { z } from 'zod';
import { invalid } from '../api-error.ts';
import { constraintShape } from './constraint-fields.ts';

/** Null stands for an absent field, as clients send it. */
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullish();

/** A field that has no effect, and is accepted with these values only. */
export const only = (values: readonly unknown[], why: string) =>
  z
    .unknown()
    .refine((value) => value == null || values.includes(value), { error: why })
    .optional();

const whole = (least: number) => z.int().min(least);

export const commonShape = {
  model: optional(z.string().min(1)),
  temperature: optional(z.number().min(0)),
  top_p: optional(z.number().gt(0).max(1)),
  n: optional(whole(1).max(128)),
  stop: optional(z.union([z.string().min(1), z.array(z.string().min(1)).max(64)])),
  seed: optional(whole(0)),
  presence_penalty: optional(z.number().min(-2).max(2)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  logit_bias: optional(
    z.record(
      z.string().regex(/^\d+$/, 'expected token ids as keys'),
      z.number().min(-100).max(100),
    ),
  ),
  stream: optional(z.boolean()),
  stream_options: optional(
    z.strictObject({
      include_usage: optional(z.boolean()),
      include_obfuscation: only([false], 'padding of streams is not available'),
    }),
  ),
  /** Names the client's user. It changes nothing; the log shows it. */
  user: optional(z.string()),
  // vLLM's extensions
  top_k: optional(whole(-1)),
  min_p: optional(z.number().min(0).max(1)),
  repetition_penalty: optional(z.number().positive()),
  min_tokens: optional(whole(0)),
  ignore_eos: optional(z.boolean()),
  stop_token_ids: optional(z.array(whole(0))),
  skip_special_tokens: optional(z.boolean()),
  return_token_ids: optional(z.boolean()),
  ...constraintShape,
};

type Common = z.infer<z.ZodObject<typeof commonShape>>;

/** Limits and vocabulary that a request's fields depend on. */
export interface FieldContext {
  vocabularySize: number;
  endOfTurnIds: ReadonlySet<number>;
  adapter: string | null;
}

/** Sampling options of a request. The defaults are OpenAI's; a seed is drawn if there is none. */
export function samplingOf(
  fields: Common,
  { vocabularySize, endOfTurnIds, adapter }: FieldContext,
): GenerateOptions {
  const bias = Object.entries(fields.logit_bias ?? {});
  const ends = fields.ignore_eos === true ? [] : endOfTurnIds;
  const stops = [fields.stop ?? []].flat();
  for (const [token] of bias) refuseToken('logit_bias', Number(token), vocabularySize);
  for (const token of fields.stop_token_ids ?? []) {
    refuseToken('stop_token_ids', token, vocabularySize);
  }
  return {
    adapter,
    temperature: fields.temperature ?? 1,
    topP: fields.top_p ?? 1,
    topK: Math.max(0, fields.top_k ?? 0),
    minP: fields.min_p ?? 0,
    repetitionPenalty: fields.repetition_penalty ?? 1,
    presencePenalty: fields.presence_penalty ?? 0,
    frequencyPenalty: fields.frequency_penalty ?? 0,
    logitBias: new Map(bias.map(([token, value]) => [Number(token), value])),
    samplesPerPrompt: fields.n ?? 1,
    seed: fields.seed ?? Math.floor(Math.random() * 2 ** 48),
    stopStrings: stops,
    stopTokenIds: [...ends, ...(fields.stop_token_ids ?? [])],
    skipSpecialTokens: fields.skip_special_tokens ?? true,
  };
}

function refuseToken(field: string, token: number, vocabularySize: number): void {
  if (token < vocabularySize) return;
  throw invalid(field, `${field}: the model's tokens are 0 to ${vocabularySize - 1}, got ${token}`);
}

/**
 * Largest number of new tokens of a request.
 * @param asked null: as many as fit
 * @throws ApiError if prompt and answer are longer than the context
 */
export function answerLength(
  asked: number | null,
  minimum: number,
  { promptTokens, context, param }: { promptTokens: number; context: number; param: string },
): { maxNewTokens: number; minNewTokens: number } {
  const room = context - promptTokens;
  if (room < 1 || (asked !== null && asked > room)) {
    const wanted = asked === null ? '' : ` and ${asked} for the answer`;
    throw invalid(
      param,
      `This server's context is ${context} tokens, but the request has ${promptTokens} in the prompt${wanted}. Shorten the prompt${asked === null ? '' : ' or the answer'}`,
      'context_length_exceeded',
    );
  }
  const maxNewTokens = asked ?? room;
  if (minimum > maxNewTokens) {
    throw invalid('min_tokens', `min_tokens is ${minimum}, more than the answer's ${maxNewTokens}`);
  }
  return { maxNewTokens, minNewTokens: minimum };
}
