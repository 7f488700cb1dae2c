// What `keel dpo` makes of its rows, and which pairs it learns from.
import { z } from 'zod';
import { option } from '../../config/options.ts';
import { rankingPairings } from '../../data/ranking-pairs.ts';
import { rankedObjectiveNames } from '../../objectives/ranked-names.ts';

const group = 'Pairs';

export const pairingShape = {
  rankingPairs: option(z.enum(rankingPairings).nullable().default(null), {
    description:
      'rows are rankings, and these pairs of theirs are learnt: all, the best with the worst, or those of neighbouring ranks; none: rows are pairs',
    group,
    value: 'which',
  }),
  batchOrder: option(z.enum(['random', 'length_stratified']).default('random'), {
    description:
      'which pairs share a step: random, or length_stratified, from chosen much shorter to chosen much longer, so that no step pulls at length alone',
    group,
    value: 'name',
  }),
  minScoreGap: option(z.number().min(0).nullable().default(null), {
    description:
      'leave out pairs whose scores (or margin) differ by less: a judge that is unsure is often wrong',
    group,
    value: 'gap',
  }),
  dropBelowMargin: option(z.number().negative().nullable().default(null), {
    description:
      'pairs whose implicit reward margin is below this teach nothing in that step, and are counted: the model is so sure of the opposite that the label is likely wrong',
    group,
    value: 'margin',
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

/** Adds an issue for each option that a trainer of whole rankings does not take. */
export function checkPairing(
  { loss, rankingPairs, minScoreGap, dropBelowMargin, batchOrder, shuffle }: Pairing,
  add: (name: string, message: string) => void,
): void {
  const stratified = batchOrder === 'length_stratified' ? batchOrder : null;
  if (stratified !== null && !shuffle)
    add('batchOrder', "--no-shuffle keeps the files' own order: give one of them");
  const ranked = loss.find((name) => rankedObjectiveNames.includes(name));
  if (ranked === undefined) return;
  if (loss.length > 1) add('loss', `${ranked} learns from whole rankings and mixes with no other`);
  const given = { rankingPairs, minScoreGap, dropBelowMargin, batchOrder: stratified };
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    add(name, `--loss ${ranked} learns from whole rankings, not from pairs: leave it out`);
  }
}
