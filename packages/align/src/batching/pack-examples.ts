import { BatchBuilder, type PackedBatch, type ScoredTokens } from '@keel/model';
import type { ScoredSequence } from './tokenise-pieces.ts';

/** Examples in one packed batch. Each is a separate segment, so that none attends to another. */
export interface PackedExamples {
  packed: PackedBatch;
  scored: ScoredTokens;
}

/**
 * Packs examples one after another. The first token of each is never scored: nothing predicts it.
 */
export function packExamples(examples: readonly ScoredSequence[]): PackedExamples {
  const builder = new BatchBuilder();
  const rows: number[] = [];
  const targets: number[] = [];
  for (const { tokens, scored } of examples) {
    const start = builder.size;
    builder.add(tokens);
    for (let at = 1; at < tokens.length; at++) {
      if (!scored[at]) continue;
      rows.push(start + at - 1);
      targets.push(tokens[at]!);
    }
  }
  return {
    packed: builder.build(),
    scored: { rows: Int32Array.from(rows), targets: Int32Array.from(targets) },
  };
}
