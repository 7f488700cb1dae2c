import { tinyTokenizerJson } from '../../tokenizer/testing/tiny-tokenizer.ts';
import { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { compileConstraint } from '../compiling/compile-constraint.ts';
import type { Constraint, TokenConstraint } from '../constraint.ts';

/** Byte-level, with a token for every byte, some longer ones, and the end token 0. */
export const tinyTokenizer = new Tokenizer({
  source: 'tiny',
  json: tinyTokenizerJson(),
  config: { eos_token: '<|end|>' },
});

export const compileTiny = (constraint: Constraint): Promise<TokenConstraint> =>
  compileConstraint(tinyTokenizer, constraint, {
    ...{ vocabularySize: tinyTokenizer.vocabSize, stopTokenIds: [0] },
  });

/** Whether a constraint allows an answer with this text, token by token, to its end. */
export function reads(constraint: TokenConstraint, text: string): boolean {
  const state = constraint.start();
  const mask = new Int32Array(constraint.words);
  for (const token of [...tinyTokenizer.encode(text), 0]) {
    state.allowed(mask);
    if (((mask[token >> 5]! >> (token & 31)) & 1) === 0) return false;
    state.accept(token);
  }
  return true;
}
