// What a person says of a task while it is on the screen.

export type Kind = 'pair' | 'ranking' | 'thumb';
export type Choice = 'left' | 'right' | 'tie' | 'both_bad' | 'up' | 'down' | 'ranked';

/** A verdict in the making. Positions are those on the screen. */
export interface Draft {
  choice: Choice | null;
  strength: number | null;
  /** Of a ranking: the rank of each answer; null: not ranked yet. */
  ranks: (number | null)[];
  ratings: Record<string, (number | null)[]>;
  edit: { answer: number | null; text: string } | null;
  comment: string;
  flagged: boolean;
}

/** What the project asks. */
export interface Asked {
  aspects: readonly { key: string; label: string; question: string; least: number; most: number }[];
  strengths: readonly string[];
  tie: boolean;
  bothBad: boolean;
  ranking: 'order' | 'best';
  edits: boolean;
}

export const emptyDraft = (answers: number): Draft => ({
  ...{ choice: null, strength: null, ratings: {}, edit: null, comment: '', flagged: false },
  ranks: Array.from({ length: answers }, () => null),
});

/** One place on the scale from "the left is much better" to "the right is much better". */
export interface Step {
  choice: 'left' | 'right' | 'tie';
  strength: number | null;
  label: string;
}

/** The places of a pair's scale, from left to right. */
export function scaleOf({ strengths, tie }: Pick<Asked, 'strengths' | 'tie'>): Step[] {
  const words = strengths.length === 0 ? ['better'] : strengths;
  const side = (choice: 'left' | 'right', name: string): Step[] =>
    words.map((word, at) => ({
      choice,
      strength: strengths.length === 0 ? null : at + 1,
      label: `${name} is ${word}`,
    }));
  const middle: Step[] = tie ? [{ choice: 'tie', strength: null, label: 'Equally good' }] : [];
  return [...side('left', 'A').reverse(), ...middle, ...side('right', 'B')];
}

/** What is missing before the verdict can be sent; null if nothing is. */
export function missing(kind: Kind, draft: Draft): string | null {
  if (kind === 'ranking')
    return draft.ranks.every((rank) => rank !== null) ? null : 'Put the answers in order first';
  if (draft.choice !== null) return null;
  return kind === 'pair' ? 'Say which answer is better first' : 'Say whether it is good first';
}

/** Draft as the server takes it. */
export function verdictOf(kind: Kind, draft: Draft, seconds: number) {
  const { choice, strength, ranks, ratings, edit, comment, flagged } = draft;
  const rated = Object.entries(ratings).filter(([, list]) => list.some((one) => one !== null));
  return {
    choice: kind === 'ranking' ? ('ranked' as const) : choice,
    strength: choice === 'left' || choice === 'right' ? strength : null,
    ranks: kind === 'ranking' ? ranks.map((rank) => rank ?? 1) : null,
    ratings: rated.length === 0 ? null : Object.fromEntries(rated),
    edit: edit === null || edit.text.trim() === '' ? null : edit,
    comment: comment.trim() || null,
    flagged,
    seconds: Math.round(10 * seconds) / 10,
  };
}

/** Letters by which answers are called. */
export const letterOf = (at: number): string => String.fromCharCode(65 + at);
