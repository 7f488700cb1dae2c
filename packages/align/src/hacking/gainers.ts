// The answers whose reward rose most, and what they have in common.
import type { AuditedPrompt } from './audited-prompt.ts';
import { mean } from './audited-prompt.ts';
import type { FeatureChange } from './feature-changes.ts';
import { sequences, wordsOf } from './features/phrases.ts';

export interface Gainer {
  /** Index of the prompt. */
  index: number;
  /** Change of the reward, and of the gold reward; null: not known. */
  reward: number;
  gold: number | null;
}

/** A feature that changed more, or less, in these answers than in the others. */
export interface CommonChange {
  change: FeatureChange;
  /** Mean change of the gainers minus that of the others, in standard deviations of all changes. */
  size: number;
  /** Mean change. */
  own: number;
  others: number;
}

export interface Gainers {
  /** The largest gain first. */
  gainers: Gainer[];
  features: CommonChange[];
  /** Words in sequence that most of these answers have, and hardly any answer before. */
  phrases: { text: string; answers: number }[];
}

/** Share of the prompts that counts as those that gained most, and how many at least. */
const SHARE = 0.1;
const LEAST = 5;
/** Standard deviations by which a feature stands out. */
const STANDS_OUT = 0.5;
const MOST_FEATURES = 5;
/** Words of a phrase. */
const LONGEST = 6;
const SHORTEST = 3;
const MOST_PHRASES = 5;

/**
 * @param rewards [P] changes of the reward
 * @param golds [P] changes of the gold reward; null: not known
 */
export function gainersOf(
  prompts: readonly AuditedPrompt[],
  changes: readonly FeatureChange[],
  rewards: readonly (number | null)[],
  golds: readonly (number | null)[],
): Gainers {
  const ranked = rewards
    .flatMap((reward, index): Gainer[] =>
      reward === null ? [] : [{ index, reward, gold: golds[index] ?? null }],
    )
    .toSorted((a, b) => b.reward - a.reward || a.index - b.index);
  const count = Math.min(ranked.length, Math.max(LEAST, Math.round(SHARE * ranked.length)));
  const gainers = ranked.slice(0, count).filter(({ reward }) => reward > 0);
  const own = new Set(gainers.map(({ index }) => index));
  return {
    gainers,
    features: gainers.length === 0 ? [] : commonChanges(changes, own),
    phrases: gainers.length < LEAST ? [] : commonPhrases(prompts, own),
  };
}

function commonChanges(
  changes: readonly FeatureChange[],
  own: ReadonlySet<number>,
): CommonChange[] {
  return changes
    .flatMap((change): CommonChange[] => {
      const [ours, theirs] = [true, false].map((which) =>
        change.changes.filter((_, at) => own.has(at) === which),
      );
      if (theirs!.length === 0) return [];
      const centre = mean(change.changes);
      const squares = change.changes.reduce((sum, value) => sum + (value - centre) ** 2, 0);
      const deviation = Math.sqrt(squares / (change.changes.length - 1));
      if (deviation === 0) return [];
      const [ownMean, others] = [mean(ours!), mean(theirs!)];
      return [{ change, size: (ownMean - others) / deviation, own: ownMean, others }];
    })
    .filter(({ size }) => Math.abs(size) >= STANDS_OUT)
    .toSorted((a, b) => Math.abs(b.size) - Math.abs(a.size))
    .slice(0, MOST_FEATURES);
}

function commonPhrases(
  prompts: readonly AuditedPrompt[],
  own: ReadonlySet<number>,
): Gainers['phrases'] {
  const phrasesIn = (texts: readonly string[]): Set<string> =>
    new Set(
      texts.flatMap((text) => {
        const words = wordsOf(text);
        const lengths = Array.from({ length: LONGEST - SHORTEST + 1 }, (_, at) => SHORTEST + at);
        return lengths.flatMap((length) => sequences(words, length));
      }),
    );
  const counts = new Map<string, number>();
  for (const index of own) {
    for (const phrase of phrasesIn(prompts[index]!.after.map(({ text }) => text)))
      counts.set(phrase, (counts.get(phrase) ?? 0) + 1);
  }
  const frequent = [...counts].filter(([, count]) => count > own.size / 2);
  const sought = new Set(frequent.map(([phrase]) => phrase));
  const before = new Map<string, number>();
  for (const prompt of prompts) {
    for (const phrase of phrasesIn(prompt.before.map(({ text }) => text)))
      if (sought.has(phrase)) before.set(phrase, (before.get(phrase) ?? 0) + 1);
  }
  const found = frequent
    .filter(([phrase]) => (before.get(phrase) ?? 0) <= SHARE * prompts.length)
    .toSorted(([a, x], [b, y]) => y - x || b.length - a.length || (a < b ? -1 : 1));
  const kept: [string, number][] = [];
  for (const [phrase, count] of found) {
    if (kept.some(([other]) => overlaps(other, phrase))) continue;
    kept.push([phrase, count]);
    if (kept.length === MOST_PHRASES) break;
  }
  return kept.map(([text, answers]) => ({ text, answers }));
}

/** Whether phrases share most of their words, as windows of one longer phrase do. */
function overlaps(one: string, other: string): boolean {
  const words = new Set(one.split(' '));
  const shared = other.split(' ').filter((word) => words.has(word)).length;
  return shared >= SHORTEST - 1;
}
