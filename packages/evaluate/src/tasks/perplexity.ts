// How likely a model finds whole texts, by token, word and byte (loglikelihood_rolling in
// lm_eval/models/huggingface.py).
import { setImmediate as breathe } from 'node:timers/promises';
import { encodeText, prefixToken } from './encode-pair.ts';
import { type Metric, perplexityOf } from './metrics.ts';
import { scoreContinuations } from './score-continuations.ts';
import type { Item, Outcome, RunHooks, Subject } from './task.ts';

export const textMetrics: readonly Metric[] = [
  perplexityOf('token_perplexity'),
  perplexityOf('word_perplexity'),
  perplexityOf('byte_perplexity'),
  { ...perplexityOf('bits_per_byte'), form: 'bits' },
];

/** Scores the texts one by one. A text longer than the model is scored in disjoint windows. */
export async function runPerplexity(
  items: readonly Item<string>[],
  subject: Subject,
  { signal, done }: RunHooks,
): Promise<void> {
  for (const item of items) {
    await breathe();
    signal.throwIfAborted();
    done(item, textOutcome(item.request, subject));
  }
}

function textOutcome(text: string, { model, role }: Subject): Outcome {
  const tokens = encodeText(model.tokenizer, text);
  const first = prefixToken(model.tokenizer) ?? tokens[0]!;
  let logp = 0;
  for (const { context, scored } of windows(tokens, first, model.decoder.config.maxPositions)) {
    logp += scoreContinuations(model, role, context, [scored]).scores[0]!.logp;
  }
  const by = (count: number) => ({ sum: logp, count });
  const bytes = by(Buffer.byteLength(text));
  return {
    values: {
      token_perplexity: by(tokens.length),
      // Python's re.split(r"\s+", text), which counts empty texts at the ends.
      word_perplexity: by(text.split(/\s+/).length),
      byte_perplexity: bytes,
      bits_per_byte: bytes,
    },
    target: text,
    arguments: [[text]],
    responses: [[logp]],
    filtered: { none: [logp] },
  };
}

/**
 * Disjoint windows of at most `most` predicted tokens, each with as much context as fits
 * (get_rolling_token_windows with context_len 1, and make_disjoint_window, in lm_eval/utils.py).
 * The first token of the text is predicted from `first`.
 */
export function* windows(
  tokens: readonly number[],
  first: number,
  most: number,
): Generator<{ context: number[]; scored: number[] }> {
  const whole = [first, ...tokens];
  for (let done = 0; done < tokens.length; ) {
    const count = Math.min(tokens.length - done, most);
    const end = done + count;
    // Positions in `whole` are one more than in `tokens`.
    const start = done === 0 ? 0 : Math.max(0, end - most);
    yield { context: whole.slice(start, done + 1), scored: whole.slice(done + 1, end + 1) };
    done = end;
  }
}
