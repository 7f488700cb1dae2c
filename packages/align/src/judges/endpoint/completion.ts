import { z } from 'zod';
import type { TokenCount } from './budget.ts';
import { isHtml, shortText } from './server-words.ts';

/** A token with its log-probability, in nats. */
export interface TokenLogprob {
  token: string;
  logprob: number;
}

/** A token that was written, and the most likely tokens in its place. */
export interface WrittenToken extends TokenLogprob {
  top: readonly TokenLogprob[];
}

/** What an endpoint answered. */
export interface Completion {
  /** Empty if it refused, or was cut off before it wrote anything. */
  text: string;
  /** `stop`, `length`, `content_filter`, or whatever the endpoint reports. */
  finish: string;
  /** The endpoint's words, where it refused in a field of its own. */
  refusal: string | null;
  usage: TokenCount;
  /** Whether the endpoint did not report its usage. */
  estimated: boolean;
  /** null where the endpoint gives no log-probabilities. */
  tokens: readonly WrittenToken[] | null;
}

/** A completion as it arrived; null where the endpoint reports no usage. */
export type ReadCompletion = Omit<Completion, 'usage' | 'estimated'> & {
  usage: TokenCount | null;
};

// Servers write -inf as null, as a text, or as -9999.
const logprobSchema = z
  .union([z.number(), z.null(), z.string().transform(Number)])
  .transform((value) => (value === null || Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value))
  .transform((value) => Math.min(value, 0));

const tokenSchema = z.object({ token: z.string(), logprob: logprobSchema });

const contentSchema = z.array(tokenSchema.extend({ top_logprobs: z.array(tokenSchema).nullish() }));

const count = z.int().nonnegative();

const usageSchema = z.object({ prompt_tokens: count, completion_tokens: count });

const choiceSchema = z.object({
  finish_reason: z.string().nullish(),
  message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
  // Older servers have other objects here, which are of no use.
  logprobs: z.object({ content: contentSchema.nullish() }).nullish().catch(null),
});

const completionSchema = z.object({
  choices: z.array(choiceSchema),
  usage: usageSchema.nullish().catch(null),
});

/**
 * Reads the body of an answer.
 * @returns the completion, or what is wrong with the body, in words
 */
export function readCompletion(body: string): ReadCompletion | { fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    const what = body.trim() === '' ? 'nothing' : isHtml(body) ? 'a web page' : 'no valid JSON';
    return { fault: `it returned ${what}${excerpt(body)}` };
  }
  const parsed = completionSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue!.path.join('.');
    return {
      fault: `it returned JSON that is not a chat completion (${place === '' ? 'the value' : `"${place}"`}: ${issue!.message})${excerpt(body)}`,
    };
  }
  const { choices, usage } = parsed.data;
  if (choices.length !== 1) {
    return { fault: `it returned ${choices.length} choices, and 1 was asked for` };
  }
  const [{ message, finish_reason, logprobs }] = choices as [(typeof choices)[0]];
  return {
    text: message.content ?? '',
    finish: finish_reason ?? 'unknown',
    refusal: message.refusal || null,
    usage: usage ? { prompt: usage.prompt_tokens, answer: usage.completion_tokens } : null,
    tokens:
      logprobs?.content?.map(({ token, logprob, top_logprobs }) => ({
        ...{ token, logprob },
        top: top_logprobs ?? [],
      })) ?? null,
  };
}

/** The beginning of a body, quoted; empty for an empty one. */
function excerpt(body: string): string {
  const text = shortText(body, 160);
  return text === '' ? '' : `: "${text}"`;
}
