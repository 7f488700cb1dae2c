// Packs sampled answers into passes, with each prompt once for all of its answers in the pass.
import type { PackedBatch, ScoredTokens } from '@keel/model';
import { shareOut } from '../sharing/share-out.ts';
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
 * @param how `wholeGroups`: never splits the answers to one prompt; `shares`: number of processes
 * @returns of each process, the answers of its passes; a limit of rows counts prompts
 */
export function rolloutPasses(
  { prompts, completions, groups }: SampledAnswers,
  sequences: readonly number[],
  limit: MicroBatchLimit,
  { wholeGroups = false, shares = 1 } = {},
): number[][][] {
  const whole = wholeGroups ? Number.POSITIVE_INFINITY : sequences.length / shares;
  const most = (wholeGroups ? null : limit.tokens) ?? Number.POSITIVE_INFINITY;
  const pieces: { sequences: number[]; tokens: number }[] = [];
  const open = new Map<number, { sequences: number[]; tokens: number }>();
  for (const sequence of sequences) {
    const group = groups[sequence]!;
    const own = completions[sequence]!.length;
    let piece = open.get(group);
    // Every process gets some answers, also of a single prompt.
    if (piece === undefined || piece.tokens + own > most || piece.sequences.length >= whole) {
      piece = { sequences: [], tokens: prompts[group]!.length };
      pieces.push(piece);
      open.set(group, piece);
    }
    piece.sequences.push(sequence);
    piece.tokens += own;
  }
  const lengths = pieces.map(({ tokens }) => tokens);
  return shareOut(lengths, shares).map((share) => {
    if (share.length === 0) return [];
    const own = share.map((at) => lengths[at]!);
    return splitMicroBatches(own, limit).map((pass) =>
      pass.flatMap((index) => pieces[share[index]!]!.sequences),
    );
  });
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
