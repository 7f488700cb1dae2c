import { rankingPairings } from '../data/ranking-pairs.ts';

/** Kinds of rows that can be written. */
export const targets = ['sft', 'pairs', 'rankings', 'kto', 'prompts'] as const;
export type Target = (typeof targets)[number];

/** How a ranking becomes pairs. `best_random`: the best answer with a worse one at random. */
export const convertPairings = [...rankingPairings, 'best_random'] as const;
export type ConvertPairing = (typeof convertPairings)[number];
