import { type PackedAnswers, packAnswers } from './pack-answers.ts';
import type { TokenisedPair } from './tokenise-pair.ts';

/** P pairs in one packed batch. Sequence 2p is pair p's chosen answer, 2p + 1 its rejected one. */
export interface PackedPairs extends PackedAnswers {
  pairs: number;
  /** Token count of a trainer without shared prompts, which repeats a prompt for every answer. */
  unsharedTokens: number;
}

/**
 * Packs pairs. A prompt is stored once for both of its answers, and for all pairs of the batch that
 * share it.
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

/** Tokens that a pair adds to a packed batch: the cost of its pass. */
export const packedTokens = ({ prompt, chosen, rejected }: TokenisedPair): number =>
  prompt.length + chosen.tokens.length + rejected.tokens.length;

/** Tokens of a pair, with its prompt counted for each answer. */
export const pairTokens = ({ prompt, chosen, rejected }: TokenisedPair): number =>
  2 * prompt.length + chosen.tokens.length + rejected.tokens.length;
