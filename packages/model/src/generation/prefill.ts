// Computes prompts in one packed batch: their keys and values for the cache, and the logits of the
// next token.
import { fromTypedArray, keep, type Tensor, tidy } from '@keel/torch';
import { PrefillAttention, type PrefilledPrompt } from './cached-attention.ts';
import type { KeyValueCache } from './kv-cache.ts';
import { type TokenLogprobs, tokenLogprobs } from './model-logprobs.ts';
import type { GenerationModel } from './options.ts';

/** Number of rows in each chunk of the prompt's logits. */
const chunk = 128;

export interface PromptToCompute extends PrefilledPrompt {
  /** Number of the most likely tokens that each of its tokens gets; null: no log-probability. */
  readonly promptLogprobs: number | null;
}

/** What a pass finds about a prompt. */
export interface ComputedPrompt {
  /** Logits of the next token, [1, vocabulary]; the caller owns it. */
  logits: Tensor;
  promptLogprobs: (TokenLogprobs | null)[] | null;
}

export function prefill(
  { decoder }: GenerationModel,
  prompts: readonly PromptToCompute[],
  cache: KeyValueCache,
  adapter: string | null,
): ComputedPrompt[] {
  const { device } = decoder.weights.embedding;
  const ids = (values: ArrayLike<number>): Tensor =>
    fromTypedArray(BigInt64Array.from(Array.from(values, BigInt)), [values.length], { device });
  const attention = new PrefillAttention(prompts, cache);
  const { tokens, positions, segments } = attention.batch;
  // Of a prompt whose tokens are not scored, only the last state is needed.
  const wanted: number[] = [];
  const ends = prompts.map(({ promptLogprobs }, index) => {
    const { start, length } = segments[index]!;
    const count = promptLogprobs === null ? 1 : length;
    for (let i = length - count; i < length; i++) wanted.push(start + i);
    return { end: wanted.length, count };
  });
  const hidden = decoder.hidden(ids(tokens), positions, attention, {
    adapter,
    wanted: ids(wanted),
  }); // [wanted, hidden]
  const last = ids(ends.map(({ end }) => end - 1));
  const logits = decoder.logits(hidden.indexSelect(0, last)); // [prompts, vocabulary]
  return prompts.map(({ tokens: own, promptLogprobs }, index) => {
    const { end, count } = ends[index]!;
    const scores: (TokenLogprobs | null)[] = [null];
    for (let from = 0; promptLogprobs !== null && from < count - 1; from += chunk) {
      const size = Math.min(chunk, count - 1 - from);
      const found = tidy(() => {
        const states = hidden.narrow(0, end - count + from, size); // [size, hidden]
        const targets = own.slice(from + 1, from + 1 + size);
        return tokenLogprobs(
          decoder.logits(states),
          targets,
          targets.map(() => promptLogprobs),
        );
      });
      scores.push(...found);
    }
    return {
      // A copy, since a view would hold the logits of all prompts.
      logits: keep(logits.narrow(0, index, 1).clone()),
      promptLogprobs: promptLogprobs === null ? null : scores,
    };
  });
}
