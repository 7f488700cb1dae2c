// How `keel dpo` turns rows into pairs, and which pairs it trains on.
import { z } from 'zod';
import { option } from '../../config/options.ts';
import { rankingPairings } from '../../data/ranking-pairs.ts';
import { rankedObjectiveNames } from '../../objectives/ranked-names.ts';

const group = 'Pairs';

export const pairingShape = {
  rankingPairs: option(z.enum(rankingPairings).nullable().default(null), {
    description:
      'pairs to train on if rows are rankings: all pairs, the best with the worst, or neighbouring ranks',
    group,
    shownDefault: 'rows are pairs',
  }),
  batchOrder: option(z.enum(['random', 'length_stratified']).default('random'), {
    description:
      'which pairs share a step: random; length_stratified: every step mixes pairs from chosen much shorter to chosen much longer, so that length alone drives no step',
    group,
  }),
  minScoreGap: option(z.number().min(0).nullable().default(null), {
    description:
      'skip pairs whose scores differ by less (or whose margin is less): an uncertain judge is often wrong',
    group,
    value: 'gap',
    shownDefault: 'use all pairs',
  }),
  dropBelowMargin: option(z.number().negative().nullable().default(null), {
    description:
      'ignore pairs whose implicit reward margin is below this (they are still counted): such confident disagreement usually means a wrong label',
    group,
    value: 'margin',
    shownDefault: 'use all pairs',
  }),
};

interface Pairing {
  loss: readonly string[];
  batchOrder: string;
  shuffle: boolean;
  rankingPairs: string | null;
  minScoreGap: number | null;
  dropBelowMargin: number | null;
}

/** Adds an issue for each option that does not apply to training on whole rankings. */
export function checkPairing(
  { loss, rankingPairs, minScoreGap, dropBelowMargin, batchOrder, shuffle }: Pairing,
  add: (name: string, message: string) => void,
): void {
  const stratified = batchOrder === 'length_stratified' ? batchOrder : null;
  if (stratified !== null && !shuffle)
    add(
      'batchOrder',
      "cannot be combined with --no-shuffle, which keeps the files' order. Remove one of them",
    );
  const ranked = loss.find((name) => rankedObjectiveNames.includes(name));
  if (ranked === undefined) return;
  if (loss.length > 1)
    add(
      'loss',
      `${ranked} trains on whole rankings and cannot be combined with other objectives. Pass it alone`,
    );
  const given = { rankingPairs, minScoreGap, dropBelowMargin, batchOrder: stratified };
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    add(
      name,
      `applies only to pairs; --loss ${ranked} trains on whole rankings. Remove the option`,
    );
  }
}
