import type { PackedBatch, ScoredTokens } from '@keel/model';
import { AnswerPacker, predictions } from './answer-packer.ts';
import type { ScoredSequence } from './tokenise-pieces.ts';

/** The tokens of a prompt and of one answer to it. */
export interface PromptedAnswer {
  prompt: readonly number[];
  answer: ScoredSequence;
}

/** A answers in one packed batch, one sequence each, in their order. */
export interface PackedAnswers {
  /** The packed answers, one per sequence. */
  answers: readonly PromptedAnswer[];
  packed: PackedBatch;
  scored: ScoredTokens;
  /** [N]: sequence of each scored token */
  sequences: Int32Array;
  /** [A]: scored tokens of each sequence */
  counts: Int32Array;
}

/** Packs answers. A prompt is stored once for all answers of the batch that share it. */
export function packAnswers(answers: readonly PromptedAnswer[]): PackedAnswers {
  const packer = new AnswerPacker();
  const rows: number[] = [];
  const targets: number[] = [];
  const sequences: number[] = [];
  const counts = new Int32Array(answers.length);
  answers.forEach(({ prompt, answer }, sequence) => {
    for (const { row, target } of predictions(answer, packer.add(prompt, answer.tokens))) {
      rows.push(row);
      targets.push(target);
      sequences.push(sequence);
      counts[sequence]! += 1;
    }
  });
  return {
    answers,
    packed: packer.build(),
    scored: { rows: Int32Array.from(rows), targets: Int32Array.from(targets) },
    sequences: Int32Array.from(sequences),
    counts,
  };
}
