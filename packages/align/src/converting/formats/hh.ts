// Anthropic's HH-RLHF (Bai et al. 2022, arXiv:2204.05862): whole dialogues as text, in which
// "\n\nHuman:" and "\n\nAssistant:" start a turn.
import { isDeepStrictEqual } from 'node:util';
import { describeValue } from '../../data/data-error.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import { assistant, user, without } from './turns.ts';

/** A turn starts after a blank line: "Human:" within a line is text. */
const turnStart = /(?:^|\n\n)(Human|Assistant):/;

const isDialogue = (value: unknown): boolean =>
  typeof value === 'string' && /^\s*Human:/.test(value) && /\n\nAssistant:/.test(value);

export const hh: RowFormat = {
  name: 'hh',
  columns: '`chosen` and `rejected`, texts of `Human:` and `Assistant:` turns',
  reads: ['chosen', 'rejected'],
  recognise: (row) =>
    isDialogue(row.chosen) && isDialogue(row.rejected)
      ? 'the columns "chosen" and "rejected", whose texts are "Human:" and "Assistant:" turns'
      : null,
  convert([row], reading): Example {
    const chosen = turnsOf(row!, 'chosen', reading);
    const rejected = turnsOf(row!, 'rejected', reading);
    let shared = 0;
    while (
      shared < Math.min(chosen.length, rejected.length) - 1 &&
      isDeepStrictEqual(chosen[shared], rejected[shared])
    ) {
      shared++;
    }
    return {
      kind: 'pair',
      prompt: chosen.slice(0, shared),
      chosen: chosen.slice(shared),
      rejected: rejected.slice(shared),
      scores: {},
      columns: without(row!, ['chosen', 'rejected']),
    };
  },
};

/** The turns of a dialogue, without the white space around their texts. */
function turnsOf(row: Fields, field: string, { fail }: Reading): object[] {
  const value = row[field];
  if (!isDialogue(value)) {
    return fail(field, {
      expected: 'a dialogue of "\\n\\nHuman: …" and "\\n\\nAssistant: …"',
      found: describeValue(value),
    });
  }
  const [, ...parts] = (value as string).trimStart().split(turnStart);
  const turns: object[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const text = parts[at + 1]!.trim();
    turns.push(parts[at] === 'Human' ? user(text) : assistant(text));
  }
  return turns;
}
