// Ratings of models from the battles of a project, as `keel rate` computes them.
import {
  type AnswerStyle,
  type RatingOptions,
  type RatingResults,
  rateBattles,
  styleNames,
  styleOf,
} from '@keel/evaluate/rating';
import { BattleTable, styleFeature } from '@keel/statistics';
import type { SideStyles, StoredBattle } from '../store/battles.ts';
import type { PreferenceStore } from '../store/preference-store.ts';
import { ARENA_PRIOR, outcomes } from './outcomes.ts';

export interface ArenaOptions extends Partial<RatingOptions> {
  /** Whether ratings are corrected for length and Markdown (default: false). */
  styleControl?: boolean;
}

export interface Arena {
  /** null: no battle counts yet. */
  results: RatingResults | null;
  /** Battles that count. */
  battles: number;
  ties: number;
  /** Battles that do not count, since an answer names its model or maker. */
  leaked: number;
  people: number;
  /** Of the decided battles: those that the left side won. */
  left: { wins: number; decided: number };
}

/** A weak prior rates models with few battles too. */
const defaults: RatingOptions = {
  ...{ anchor: null, intervals: 'sandwich', resamples: 200, seed: 42, balancePairs: null },
  ...{ prior: ARENA_PRIOR, elo: null, next: 5 },
};

/** Intervals over clusters need several of them. */
const LEAST_PEOPLE = 10;

/**
 * Bradley-Terry ratings with intervals, the battles and wins of each pair, and which pairs to try
 * next. Votes of one person are not independent: with at least 10 people they share a cluster,
 * which makes intervals wider. Fewer clusters would make them much too narrow.
 */
export async function arenaOf(
  store: PreferenceStore,
  project: string,
  { styleControl = false, ...options }: ArenaOptions = {},
): Promise<Arena> {
  const counting: StoredBattle[] = [];
  const counted = new Map<string, SideStyles>();
  const features = new Map<string, number[]>();
  const people = new Set<string>();
  const left = { wins: 0, decided: 0 };
  let [leaked, ties] = [0, 0];
  for await (const battle of store.votedBattles(project)) {
    if (battle.leak !== null) {
      leaked += 1;
      continue;
    }
    const { vote, person } = battle;
    const outcome = outcomes[vote!];
    people.add(person);
    if (outcome === 0.5) ties += 1;
    else {
      left.decided += 1;
      left.wins += outcome;
    }
    if (styleControl) {
      const known = battle.styles;
      const styles = known ?? stylesOf(battle);
      if (known === null) counted.set(battle.id, styles);
      features.set(battle.id, featuresOf(styles));
    }
    counting.push(battle);
  }
  const table = new BattleTable();
  const isClustered = people.size >= LEAST_PEOPLE;
  for (const { id, models, vote, person } of counting) {
    table.add({
      ...{ a: models.left, b: models.right, outcome: outcomes[vote!] },
      ...(isClustered && { cluster: person }),
      ...(styleControl && { features: features.get(id)! }),
    });
  }
  if (counted.size > 0) await store.saveStyles(counted);
  const battles = table.length;
  const results =
    battles === 0 ? null : rateBattles({ table, categories: null }, { ...defaults, ...options });
  return { results, battles, ties, leaked, people: people.size, left };
}

const stylesOf = ({ turns }: StoredBattle): SideStyles => {
  const side = (name: 'left' | 'right'): AnswerStyle =>
    styleOf(turns.map((turn) => turn[name]).join('\n'));
  return { left: { ...side('left') }, right: { ...side('right') } };
};

const featuresOf = ({ left, right }: SideStyles): number[] =>
  styleNames.map((name) => styleFeature(left[name]!, right[name]!));
