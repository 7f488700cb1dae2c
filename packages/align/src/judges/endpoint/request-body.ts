import { asWritten } from '@keel/model/exact-json';
import { type Message, textOf } from '../../data/messages.ts';
import type { TokenCount } from './budget.ts';
import { estimateTokens } from './charge.ts';
import type { CheckedEndpoint } from './endpoint-spec.ts';
import type { Feature, Features } from './features.ts';

export interface CompleteOptions {
  /** Default: that of the spec. */
  maxTokens?: number;
  /** Default: that of the spec. */
  temperature?: number;
  /** Default: that of the spec. */
  seed?: number;
  stop?: readonly string[];
  /** Asks for log-probabilities of the tokens. */
  logprobs?: boolean;
  /** Asks for JSON that fits a schema. */
  schema?: { name: string; schema: object };
  /**
   * What must not be left out. Anything else that the endpoint does not accept is left out, and
   * `tokens` is null if it gives no log-probabilities.
   */
  insist?: readonly Feature[];
  signal?: AbortSignal;
}

/** A request, without what the endpoint does not accept. */
export function requestBody(
  messages: readonly Message[],
  options: CompleteOptions,
  spec: CheckedEndpoint,
  features: Features,
): Record<string, unknown> {
  const { temperature = spec.temperature, seed = spec.seed } = options;
  const { maxTokens = spec.max_tokens, stop, logprobs, schema } = options;
  const { limit, topLogprobs } = features;
  return {
    ...{ model: spec.model, messages },
    ...(limit !== null && { [limit]: maxTokens }),
    ...(features.temperature && { temperature }),
    ...(features.seed && seed !== undefined && { seed }),
    ...(features.stop && stop !== undefined && { stop }),
    ...(logprobs && topLogprobs > 0 && { logprobs: true, top_logprobs: topLogprobs }),
    ...(schema !== undefined &&
      features.schema && {
        response_format: { type: 'json_schema', json_schema: { ...schema, strict: true } },
      }),
    ...(asWritten(spec.extra_body) as Record<string, unknown>),
  };
}

/** The most tokens that a request can use. */
export function mostTokens(
  messages: readonly Message[],
  { maxTokens, schema }: CompleteOptions,
  spec: CheckedEndpoint,
): TokenCount {
  const texts = messages.map((message) => textOf(message));
  const given = schema === undefined ? '' : JSON.stringify(schema);
  return {
    // A few more for the marks of each turn.
    prompt: estimateTokens([...texts, given].join('')) + 8 * messages.length,
    answer: maxTokens ?? spec.max_tokens,
  };
}
