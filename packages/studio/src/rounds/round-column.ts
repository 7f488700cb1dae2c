// What a task of a round carries: why it was asked for, and what the reward model expects.
import type { Content } from '@keel/align/data';
import { exactJson } from '@keel/model/exact-json';
import { keyOf } from '../store/ids.ts';
import type { Suggestion } from '../store/suggestions.ts';

export interface RoundColumn {
  number: number;
  why: string;
  /** What it was chosen by; 0 for a random choice. */
  value: number;
  /** P(this answer is the better one), by {@link keyOfContent} of one of the two. */
  likes: Readonly<Record<string, number>>;
}

/** Names an answer, whatever its place. */
export const keyOfContent = (content: Content): string => keyOf(exactJson(content));

/** What the reward model of a round expects. @returns null for a task of no round */
export function suggestionOf(
  columns: Readonly<Record<string, unknown>>,
  answers: readonly Content[],
): Suggestion | null {
  const round = columns.round as RoundColumn | undefined;
  if (round?.likes === undefined || answers.length !== 2) return null;
  const [left, right] = answers.map((content) => round.likes[keyOfContent(content)]);
  const by = `the reward model of round ${round.number}`;
  if (left !== undefined) return { by, left };
  return right === undefined ? null : { by, left: 1 - right };
}
