import { BatchBuilder, type PackedBatch, type ScoredTokens } from '@keel/model';
import type { ScoredSequence } from './tokenise-pieces.ts';

/** A prompt's tokens and those of one answer to it. */
export interface PromptedAnswer {
  prompt: readonly number[];
  answer: ScoredSequence;
}

/** A answers in one packed batch, sequence by sequence in their order. */
export interface PackedAnswers {
  packed: PackedBatch;
  scored: ScoredTokens;
  /** [N]: answer that each scored token is of */
  sequences: Int32Array;
  /** [A]: scored tokens of each answer */
  counts: Int32Array;
}

/** Packs answers: a prompt stands once for all answers of the batch that continue it. */
export function packAnswers(answers: readonly PromptedAnswer[]): PackedAnswers {
  const builder = new BatchBuilder();
  const rows: number[] = [];
  const targets: number[] = [];
  const sequences: number[] = [];
  const counts = new Int32Array(answers.length);
  const prompts = new Map<string, { segment: number; last: number }>();
  const promptOf = (tokens: readonly number[]) => {
    const key = tokens.join();
    let prompt = prompts.get(key) ?? null;
    if (prompt === null && tokens.length > 0) {
      const segment = builder.add(tokens);
      prompt = { segment, last: builder.size - 1 };
      prompts.set(key, prompt);
    }
    return prompt;
  };
  answers.forEach(({ prompt: tokens, answer }, sequence) => {
    const prompt = promptOf(tokens);
    const start = builder.size;
    builder.add(answer.tokens, prompt?.segment ?? -1);
    for (let i = 0; i < answer.tokens.length; i++) {
      // The first token is predicted by the prompt's last one; without a prompt nothing predicts it.
      const row = i > 0 ? start + i - 1 : prompt?.last;
      if (row === undefined || !answer.scored[i]) continue;
      rows.push(row);
      targets.push(answer.tokens[i]!);
      sequences.push(sequence);
      counts[sequence]! += 1;
    }
  });
  return {
    packed: builder.build(),
    scored: { rows: Int32Array.from(rows), targets: Int32Array.from(targets) },
    sequences: Int32Array.from(sequences),
    counts,
  };
}
