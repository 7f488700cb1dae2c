// Packs sampled answers into passes, with each prompt once for all of its answers in the pass.
import type { PackedBatch, ScoredTokens } from '@keel/model';
import type { AnswerConstraints } from './answer-constraints.ts';
import { AnswerPacker } from './answer-packer.ts';
import { type MicroBatchLimit, splitMicroBatches } from './micro-batches.ts';

/** Prompts and the answers sampled for them. */
export interface SampledAnswers {
  /** [P] */
  prompts: readonly (readonly number[])[];
  /** [S] */
  completions: readonly (readonly number[])[];
  /** [S]: index of each answer's prompt. */
  groups: ArrayLike<number>;
  /** What the answers match (default: null, anything). */
  constraints?: AnswerConstraints | null;
}

export interface PackedRollouts {
  packed: PackedBatch;
  /**
   * [N]: every token of the answers, answer by answer, with the tokens that their constraint
   * allowed. At the same rows, a critic reads the state before each token.
   */
  scored: ScoredTokens;
}

/**
 * Divides answers into passes, keeping answers to one prompt together as far as a pass allows.
 * @param sequences indices of the answers
 * @param wholeGroups never splits the answers to one prompt
 * @returns the answers of each pass; a limit of rows counts prompts
 */
export function rolloutPasses(
  { prompts, completions, groups }: SampledAnswers,
  sequences: readonly number[],
  limit: MicroBatchLimit,
  { wholeGroups = false } = {},
): number[][] {
  const most = (wholeGroups ? null : limit.tokens) ?? Number.POSITIVE_INFINITY;
  const pieces: { sequences: number[]; tokens: number }[] = [];
  const open = new Map<number, { sequences: number[]; tokens: number }>();
  for (const sequence of sequences) {
    const group = groups[sequence]!;
    const own = completions[sequence]!.length;
    let piece = open.get(group);
    if (piece === undefined || piece.tokens + own > most) {
      piece = { sequences: [], tokens: prompts[group]!.length };
      pieces.push(piece);
      open.set(group, piece);
    }
    piece.sequences.push(sequence);
    piece.tokens += own;
  }
  const lengths = pieces.map(({ tokens }) => tokens);
  return splitMicroBatches(lengths, limit).map((pass) =>
    pass.flatMap((index) => pieces[index]!.sequences),
  );
}

/** Packs some answers, in the given order. */
export function packRollouts(
  { prompts, completions, groups, constraints = null }: SampledAnswers,
  sequences: readonly number[],
): PackedRollouts {
  const packer = new AnswerPacker();
  const rows: number[] = [];
  const targets: number[] = [];
  for (const sequence of sequences) {
    const tokens = completions[sequence]!;
    const { start, before } = packer.add(prompts[groups[sequence]!]!, tokens);
    tokens.forEach((token, at) => {
      rows.push(at > 0 ? start + at - 1 : before!);
      targets.push(token);
    });
  }
  const scored = { rows: Int32Array.from(rows), targets: Int32Array.from(targets) };
  const packed = packer.build();
  if (constraints === null) return { packed, scored };
  const allowed = new Int32Array(targets.length * constraints.words);
  let at = 0;
  for (const sequence of sequences) {
    const tokens = completions[sequence]!;
    const end = at + tokens.length * constraints.words;
    constraints.replay(prompts[groups[sequence]!]!, tokens, allowed.subarray(at, end));
    at = end;
  }
  return { packed, scored: { ...scored, allowed } };
}
