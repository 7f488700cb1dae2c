import type { PackedBatch, ScoredTokens } from '@keel/model';
import { AnswerPacker, predictions } from './answer-packer.ts';
import type { TokenisedPair } from './tokenise-pair.ts';

/** P pairs in one packed batch. Sequence 2p is pair p's chosen answer, 2p + 1 its rejected one. */
export interface PackedPairs {
  packed: PackedBatch;
  scored: ScoredTokens;
  /** [N]: sequence of each scored token */
  sequences: Int32Array;
  /** [2P]: scored tokens of each sequence */
  counts: Int32Array;
  pairs: number;
  /** Tokens as a trainer without shared prompts would count them: every prompt twice. */
  unsharedTokens: number;
}

/** Packs pairs: a prompt stands once for both of its answers, and once for all pairs of the batch that have it. */
export function packPairs(pairs: readonly TokenisedPair[]): PackedPairs {
  const packer = new AnswerPacker();
  const rows: number[] = [];
  const targets: number[] = [];
  const sequences: number[] = [];
  const counts = new Int32Array(2 * pairs.length);
  let unsharedTokens = 0;

  pairs.forEach((pair, index) => {
    for (const [place, answer] of [pair.chosen, pair.rejected].entries()) {
      const sequence = 2 * index + place;
      for (const { row, target } of predictions(answer, packer.add(pair.prompt, answer.tokens))) {
        rows.push(row);
        targets.push(target);
        sequences.push(sequence);
        counts[sequence]! += 1;
      }
    }
    unsharedTokens += pairTokens(pair);
  });
  return {
    packed: packer.build(),
    scored: { rows: Int32Array.from(rows), targets: Int32Array.from(targets) },
    sequences: Int32Array.from(sequences),
    counts,
    pairs: pairs.length,
    unsharedTokens,
  };
}

/** Tokens that a pair adds to a packed batch: what its pass costs. */
export const packedTokens = ({ prompt, chosen, rejected }: TokenisedPair): number =>
  prompt.length + chosen.tokens.length + rejected.tokens.length;

/** Tokens of a pair with its prompt counted for each answer. */
export const pairTokens = ({ prompt, chosen, rejected }: TokenisedPair): number =>
  2 * prompt.length + chosen.tokens.length + rejected.tokens.length;
