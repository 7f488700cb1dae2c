// The newest verdicts of a task in one short text, so that agreement reads a row for each task and
// not one for each verdict: a line "person verdict first milliseconds" for each.
import type { Choice } from './schema.ts';

export interface PackedVote {
  /** Id of the person. */
  person: string;
  choice: Choice;
  ranks: readonly number[] | null;
  /** Position of the answer that was shown first; null: not known. */
  first: number | null;
  /** To the millisecond. */
  seconds: number | null;
}

export const packVotes = (votes: readonly PackedVote[]): string =>
  votes
    .map(({ person, choice, ranks, first, seconds }) => {
      const said = ranks === null ? codeOf[choice] : ranks.join(',');
      const time = seconds === null ? '' : Math.round(1000 * seconds);
      return `${person} ${said} ${first ?? ''} ${time}\n`;
    })
    .join('');

const codeOf: Readonly<Record<Choice, string>> = {
  ...{ left: 'l', right: 'r', tie: 't', both_bad: 'b', up: 'u', down: 'd', ranked: '' },
};
const choiceOf: Readonly<Record<string, Choice>> = Object.fromEntries(
  Object.entries(codeOf).map(([choice, code]) => [code, choice as Choice]),
);

/** Calls `take` for each vote from one place of a text to another. */
export function unpackVotes(
  text: string,
  { start, end }: { start: number; end: number },
  take: (
    person: string,
    choice: Choice,
    ranks: readonly number[] | null,
    first: number | null,
    seconds: number | null,
  ) => void,
): void {
  for (let at = start; at < end; ) {
    const personEnd = text.indexOf(' ', at);
    const saidEnd = text.indexOf(' ', personEnd + 1);
    const firstEnd = text.indexOf(' ', saidEnd + 1);
    const lineEnd = text.indexOf('\n', firstEnd + 1);
    const said = text.slice(personEnd + 1, saidEnd);
    const choice = choiceOf[said];
    take(
      text.slice(at, personEnd),
      choice ?? 'ranked',
      choice === undefined ? said.split(',').map(Number) : null,
      wholeIn(text, saidEnd + 1, firstEnd),
      inSeconds(wholeIn(text, firstEnd + 1, lineEnd)),
    );
    at = lineEnd + 1;
  }
}

const inSeconds = (time: number | null): number | null => (time === null ? null : time / 1000);

/** The whole number in a part of a text; null if the part is empty. */
function wholeIn(text: string, start: number, end: number): number | null {
  if (start === end) return null;
  let value = 0;
  for (let at = start; at < end; at++) value = 10 * value + text.charCodeAt(at) - 48;
  return value;
}
