import { BatchBuilder, type PackedBatch, type ScoredTokens } from '@keel/model';
import type { TokenisedAnswer, TokenisedPair } from './tokenise-pair.ts';

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
  const builder = new BatchBuilder();
  const rows: number[] = [];
  const targets: number[] = [];
  const sequences: number[] = [];
  const counts = new Int32Array(2 * pairs.length);
  const prompts = new Map<string, { segment: number; last: number }>();
  let unsharedTokens = 0;

  const addAnswer = (
    answer: TokenisedAnswer,
    prompt: { segment: number; last: number } | null,
    sequence: number,
  ): void => {
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
  };

  pairs.forEach((pair, index) => {
    const key = pair.prompt.join();
    let prompt = prompts.get(key) ?? null;
    if (prompt === null && pair.prompt.length > 0) {
      const segment = builder.add(pair.prompt);
      prompt = { segment, last: builder.size - 1 };
      prompts.set(key, prompt);
    }
    addAnswer(pair.chosen, prompt, 2 * index);
    addAnswer(pair.rejected, prompt, 2 * index + 1);
    unsharedTokens += pairTokens(pair);
  });
  return {
    packed: builder.build(),
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
