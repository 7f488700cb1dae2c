// Tokens of a context and its continuation, as lm-evaluation-harness 0.4.13 makes them for causal
// models (lm_eval/api/model.py, TemplateLM._encode_pair and loglikelihood).
import type { Tokenizer } from '@keel/model';

export interface EncodedPair {
  context: number[];
  continuation: number[];
}

// What Python's str.rstrip removes; JavaScript's \s has U+FEFF too.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are white space in Python
const trailing = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/;

/**
 * The whole text is encoded, and split after as many tokens as the context has alone. White space
 * at the end of the context belongs to the continuation. An empty context becomes bos, or eos if
 * there is none.
 */
export function encodePair(
  tokenizer: Tokenizer,
  context: string,
  continuation: string,
): EncodedPair {
  if (context === '') return withoutContext(tokenizer, continuation);
  const text = context.replace(trailing, '');
  const moved = context.slice(text.length) + continuation;
  const start = encodeText(tokenizer, text);
  return { context: start, continuation: encodeText(tokenizer, text + moved).slice(start.length) };
}

function withoutContext(tokenizer: Tokenizer, continuation: string): EncodedPair {
  const tokens = tokenizer.encode(continuation);
  const first = prefixToken(tokenizer);
  if (first === null || first === tokens[0]) {
    return { context: tokens.slice(0, 1), continuation: tokens.slice(1) };
  }
  return { context: [first], continuation: tokens };
}

/** What stands for an empty context. */
export const prefixToken = ({ bosTokenId, eosTokenId }: Tokenizer): number | null =>
  bosTokenId ?? eosTokenId;

/** Tokens of a text, with bos if the tokenizer puts one, unless the text starts with it. */
export function encodeText(tokenizer: Tokenizer, text: string): number[] {
  const first = prefixToken(tokenizer);
  const written = first !== null && text.startsWith(tokenizer.decode([first]));
  return tokenizer.encode(text, { addSpecialTokens: !written });
}
