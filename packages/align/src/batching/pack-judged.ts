import type { PackedBatch, ScoredTokens } from '@keel/model';
import { AnswerPacker, predictions } from './answer-packer.ts';
import type { TokenisedJudged } from './tokenise-judged.ts';

/** Judged rows in one packed batch, with the tokens at which the scores of answers are read. */
export interface PackedJudged {
  packed: PackedBatch;
  /**
   * [R]: index in the batch of each token at which a score is read, ordered by row, then by answer,
   * then by read
   */
  reads: Int32Array;
  /** [R]: tokens of the answer that each read belongs to */
  lengths: Int32Array;
  /** Per row: position of its first read. */
  firstReads: number[];
  /** Tokens of the best answer of each pair and ranking, for the language-model term. */
  best: ScoredTokens;
  /** Token count of a trainer without shared prompts, which repeats a prompt for every answer. */
  unsharedTokens: number;
}

/**
 * Packs rows. A prompt is stored once for all of its answers, and for all rows of the batch that
 * share it.
 */
export function packJudged(
  rows: readonly Pick<TokenisedJudged, 'prompt' | 'answers' | 'verdict'>[],
): PackedJudged {
  const packer = new AnswerPacker();
  const reads: number[] = [];
  const lengths: number[] = [];
  const firstReads: number[] = [];
  const predicting: number[] = [];
  const targets: number[] = [];
  let unsharedTokens = 0;
  for (const { prompt, answers, verdict } of rows) {
    firstReads.push(reads.length);
    for (const [place, answer] of answers.entries()) {
      const packed = packer.add(prompt, answer.tokens);
      for (const at of answer.reads) {
        reads.push(packed.start + at);
        lengths.push(answer.tokens.length);
      }
      unsharedTokens += prompt.length + answer.tokens.length;
      if (place > 0 || verdict.kind === 'process') continue;
      for (const { row, target } of predictions(answer, packed)) {
        predicting.push(row);
        targets.push(target);
      }
    }
  }
  return {
    packed: packer.build(),
    reads: Int32Array.from(reads),
    lengths: Int32Array.from(lengths),
    firstReads,
    best: { rows: Int32Array.from(predicting), targets: Int32Array.from(targets) },
    unsharedTokens,
  };
}
