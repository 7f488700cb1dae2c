// A verdict in words, by the letters of the task's answers.
import { letterOf } from '../annotate/verdict.ts';

export function verdictText(
  verdict: {
    choice: string | null;
    ranks?: readonly number[] | null;
    strength?: number | null;
  },
  strengths: readonly string[],
): string {
  const { choice, ranks, strength } = verdict;
  if (choice === 'left' || choice === 'right') {
    const word = strength == null ? 'better' : (strengths[strength - 1] ?? `better by ${strength}`);
    return `${letterOf(choice === 'left' ? 0 : 1)} is ${word}`;
  }
  if (choice === 'ranked' && ranks != null) return rankingText(ranks);
  return (
    { tie: 'equally good', both_bad: 'both bad', up: 'good', down: 'bad' }[choice ?? ''] ??
    'skipped'
  );
}

/** `B > A = C`. */
function rankingText(ranks: readonly number[]): string {
  const order = ranks.map((_, at) => at).sort((a, b) => ranks[a]! - ranks[b]! || a - b);
  return order
    .map((at, place) => {
      const before = order[place - 1];
      const sign = before === undefined ? '' : ranks[before] === ranks[at] ? ' = ' : ' > ';
      return sign + letterOf(at);
    })
    .join('');
}
