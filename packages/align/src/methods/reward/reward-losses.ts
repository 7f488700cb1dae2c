// From the scores of a packed pass to the losses of its rows.
import { cat, fromTypedArray, ops, type Tensor, tensor } from '@keel/torch';
import type { PackedJudged } from '../../batching/pack-judged.ts';
import type { TokenisedJudged } from '../../batching/tokenise-judged.ts';
import { isSoft } from '../../data/label-probability.ts';
import { allPairs } from '../../objectives/all-pairs.ts';
import { bradleyTerry } from '../../objectives/bradley-terry.ts';
import { plackettLuce } from '../../objectives/plackett-luce.ts';
import { processReward } from '../../objectives/process-reward.ts';

export interface RewardObjective {
  /** Loss of rankings; that of pairs is Bradley-Terry's. */
  rankingLoss: 'plackett_luce' | 'all_pairs';
  /** Weight of the square of the summed rewards; 0: none. */
  centring: number;
}

/**
 * Losses of a pass's items: a pair is one item, a ranking is one, and each step of a process is
 * one.
 */
export interface ItemLosses {
  /** [I, K]; carries the gradient */
  losses: Tensor;
  /** [I]: place in the pass of each item's row */
  rows: number[];
}

/** Items of a row. */
export const itemsOf = ({ verdict }: Pick<TokenisedJudged, 'verdict'>): number =>
  verdict.kind === 'process' ? verdict.labels.length : 1;

/**
 * The loss of each item under each head.
 * @param scores [R, K], in the order of the batch's reads
 */
export function rewardLosses(
  scores: Tensor,
  judged: readonly Pick<TokenisedJudged, 'verdict'>[],
  { firstReads }: Pick<PackedJudged, 'firstReads'>,
  objective: RewardObjective,
): ItemLosses {
  const found: ItemLosses[] = [];
  const ofKind = (kind: string): number[] =>
    judged.flatMap(({ verdict }, row) => (verdict.kind === kind ? [row] : []));
  const pairs = ofKind('pair');
  if (pairs.length > 0) {
    const losses = pairLosses(scores, pairs.map(verdictOf), pairs.map(firstRead), objective);
    found.push({ losses, rows: pairs });
  }
  const rankings = ofKind('ranking');
  if (rankings.length > 0) {
    const ranks = rankings.map((row) => (verdictOf(row) as { ranks: number[] }).ranks);
    const losses = rankingLosses(scores, ranks, rankings.map(firstRead), objective);
    found.push({ losses, rows: rankings });
  }
  const processes = ofKind('process');
  if (processes.length > 0) {
    const labels = processes.map((row) => (verdictOf(row) as { labels: boolean[] }).labels);
    const losses = stepLosses(scores, labels, processes.map(firstRead));
    found.push({
      losses,
      rows: processes.flatMap((row) => Array(itemsOf(judged[row]!)).fill(row)),
    });
  }
  const [only] = found;
  if (found.length === 1) return only!;
  return {
    losses: cat(found.map(({ losses }) => losses)),
    rows: found.flatMap(({ rows }) => rows),
  };

  function verdictOf(row: number) {
    return judged[row]!.verdict;
  }
  function firstRead(row: number): number {
    return firstReads[row]!;
  }
}

/** Scores of these reads, one head after the other: [K * reads]. */
function byHead(scores: Tensor, reads: readonly number[]): Tensor {
  const index = fromTypedArray(Int32Array.from(reads)).to({
    dtype: 'int64',
    device: scores.device,
  });
  return scores.indexSelect(0, index).t().reshape(-1);
}

/** A list for each head, one after the other. */
const forEachHead = <T>(list: readonly T[], heads: number): T[] =>
  Array.from({ length: heads }, () => list).flat();

/** @returns [P, K] */
function pairLosses(
  scores: Tensor,
  verdicts: readonly TokenisedJudged['verdict'][],
  first: readonly number[],
  { centring }: RewardObjective,
): Tensor {
  const heads = scores.dim(1);
  const margins = verdicts.map((verdict) => (verdict.kind === 'pair' ? verdict.margin : 0));
  const place = { dtype: scores.dtype, device: scores.device };
  const margin = margins.some((one) => one !== 0)
    ? { margin: tensor(forEachHead(margins, heads), place) }
    : {};
  const chosen = byHead(scores, first); // [K * P]
  const rejected = byHead(
    scores,
    first.map((read) => read + 1),
  );
  const chances = verdicts.map((verdict) =>
    verdict.kind === 'pair' ? (verdict.probability ?? 1) : 1,
  );
  const probability = chances.some(isSoft)
    ? { probability: tensor(forEachHead(chances, heads), place) }
    : {};
  return bradleyTerry({ chosen, rejected, ...margin, ...probability }, { centring })
    .view(heads, -1)
    .t();
}

/** @returns [G, K] */
function rankingLosses(
  scores: Tensor,
  ranks: readonly (readonly number[])[],
  first: readonly number[],
  { rankingLoss, centring }: RewardObjective,
): Tensor {
  const heads = scores.dim(1);
  const reads = ranks.flatMap((own, at) => own.map((_, place) => first[at]! + place));
  const flat = byHead(scores, reads); // [K * N]
  const sizes = forEachHead(
    ranks.map(({ length }) => length),
    heads,
  );
  const offsets = new Int32Array(sizes.length + 1);
  for (const [at, size] of sizes.entries()) offsets[at + 1] = offsets[at]! + size;
  const ties = Int32Array.from(forEachHead(ranks.flat(), heads));
  const losses =
    rankingLoss === 'all_pairs'
      ? allPairs(flat, offsets, { ranks: ties, centring })
      : centred(plackettLuce(flat, offsets, ties), flat, sizes, centring);
  return losses.view(heads, -1).t();
}

/** With centring * (2 * mean score of the prompt)^2: for two answers Bradley-Terry's (c + r)^2. */
function centred(
  losses: Tensor,
  scores: Tensor,
  sizes: readonly number[],
  centring: number,
): Tensor {
  if (centring === 0) return losses;
  const { dtype, device } = scores;
  const groups = sizes.flatMap((size, group) => Array<number>(size).fill(group));
  const shares = sizes.flatMap((size) => Array<number>(size).fill(2 / size));
  const sums = ops.indexAdd(
    ops.zeros([sizes.length], dtype, device),
    0,
    tensor(groups, { dtype: 'int64', device }),
    scores.mul(tensor(shares, { dtype, device })),
  );
  return losses.add(sums.square().mul(centring));
}

/** @returns [S, K] */
function stepLosses(
  scores: Tensor,
  labels: readonly (readonly boolean[])[],
  first: readonly number[],
): Tensor {
  const heads = scores.dim(1);
  const reads = labels.flatMap((own, at) => own.map((_, step) => first[at]! + step));
  const right = forEachHead(labels.flat().map(Number), heads);
  const place = { dtype: scores.dtype, device: scores.device };
  return processReward(byHead(scores, reads), tensor(right, place)).view(heads, -1).t();
}
