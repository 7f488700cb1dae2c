import { type PackedAnswers, packAnswers } from './pack-answers.ts';
import type { TokenisedPair } from './tokenise-pair.ts';

/** P pairs in one packed batch. Sequence 2p is pair p's chosen answer, 2p + 1 its rejected one. */
export interface PackedPairs extends PackedAnswers {
  pairs: number;
  /** Tokens as a trainer without shared prompts would count them: every prompt twice. */
  unsharedTokens: number;
}

/**
 * Packs pairs: a prompt stands once for both of its answers, and once for all pairs of the batch
 * that have it.
 */
export const packPairs = (pairs: readonly TokenisedPair[]): PackedPairs => ({
  ...packAnswers(
    pairs.flatMap(({ prompt, chosen, rejected }) => [
      { prompt, answer: chosen },
      { prompt, answer: rejected },
    ]),
  ),
  pairs: pairs.length,
  unsharedTokens: pairs.reduce((sum, pair) => sum + pairTokens(pair), 0),
});

/** Tokens that a pair adds to a packed batch: what its pass costs. */
export const packedTokens = ({ prompt, chosen, rejected }: TokenisedPair): number =>
  prompt.length + chosen.tokens.length + rejected.tokens.length;

/** Tokens of a pair with its prompt counted for each answer. */
export const pairTokens = ({ prompt, chosen, rejected }: TokenisedPair): number =>
  2 * prompt.length + chosen.tokens.length + rejected.tokens.length;
