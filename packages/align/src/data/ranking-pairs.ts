// Builds the pairs of a ranking. InstructGPT (Ouyang et al. 2022, section 3.5) uses all of them;
// Zephyr (Tunstall et al. 2023) and many datasets derived from UltraFeedback use the best answer
// and a worse one.
import { pairColumns } from './finish-reasons.ts';
import type { PreferenceRow, RankingRow } from './rows.ts';

export const rankingPairings = ['all', 'best_worst', 'adjacent'] as const;

/**
 * `all`: every answer with every worse one. `best_worst`: the first of the best with the last of
 * the worst. `adjacent`: every answer with those of the next rank. Tied answers form no pair.
 */
export type RankingPairing = (typeof rankingPairings)[number];

/**
 * Pairs of a ranking, with the better answer as chosen and both scores if the ranking has them.
 */
export function rankingPairs(ranking: RankingRow, pairing: RankingPairing): PreferenceRow[] {
  const { prompt, completions, scores, extra, rendering } = ranking;
  return rankedPairs(ranking.ranks, pairing).map(([better, worse]) => ({
    prompt,
    chosen: completions[better]!,
    rejected: completions[worse]!,
    ...(scores && { score_chosen: scores[better]!, score_rejected: scores[worse]! }),
    extra: pairColumns(extra, completions.length, better, worse),
    ...(rendering && { rendering }),
  }));
}

/** The pairs of a ranking as indices of their answers, the better one first. */
export function rankedPairs(
  ranks: readonly number[],
  pairing: RankingPairing,
): [better: number, worse: number][] {
  const worst = Math.max(...ranks);
  if (worst === 1) return [];
  if (pairing === 'best_worst') return [[ranks.indexOf(1), ranks.lastIndexOf(worst)]];
  const paired = (better: number, worse: number): boolean =>
    pairing === 'all' ? ranks[better]! < ranks[worse]! : ranks[better]! + 1 === ranks[worse]!;
  return ranks.flatMap((_, better) =>
    ranks.flatMap((_, worse): [number, number][] =>
      paired(better, worse) ? [[better, worse]] : [],
    ),
  );
}
