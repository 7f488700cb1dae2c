// The newest verdicts of a task in one short text, so that agreement reads a row for each task and
// not one for each verdict: a line "person verdict first seconds" for each.
import type { Choice } from './schema.ts';

export interface PackedVote {
  /** Id of the person. */
  person: string;
  choice: Choice;
  ranks: readonly number[] | null;
  /** Position of the answer that was shown first; null: not known. */
  first: number | null;
  seconds: number | null;
}

export const packVotes = (votes: readonly PackedVote[]): string =>
  votes
    .map(({ person, choice, ranks, first, seconds }) =>
      [person, ranks === null ? choice : ranks.join(','), first ?? '', seconds ?? ''].join(' '),
    )
    .join('\n');

export function unpackVotes(text: string): PackedVote[] {
  if (text === '') return [];
  return text.split('\n').map((line) => {
    const [person, said, first, seconds] = line.split(' ') as [string, string, string, string];
    const isRanking = said >= '0' && said <= '9~';
    return {
      person,
      choice: isRanking ? 'ranked' : (said as Choice),
      ranks: isRanking ? said.split(',').map(Number) : null,
      first: first === '' ? null : Number(first),
      seconds: seconds === '' ? null : Number(seconds),
    };
  });
}
