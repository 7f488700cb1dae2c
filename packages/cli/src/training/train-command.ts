import { shellWord } from '../shell-word.ts';

/** Rows that a verb wrote, and those of them that training refuses: their answers are cut off. */
export interface WrittenRows {
  rows: number;
  cutOff: number;
}

/** What to do about rows that training refuses; nothing if there are none. */
export const cutOffLines = ({ rows, cutOff }: WrittenRows): string[] =>
  cutOff === 0
    ? []
    : [
        `${cutOff} of ${rows} rows have an answer that was cut off, and training refuses them. Pass a larger --max-new-tokens, or skip them with --on-bad-row skip`,
      ];

/** A command that trains on the rows, after what it does; nothing if training refuses all rows. */
export const trainLines = (
  what: string,
  verb: string,
  data: string,
  { rows, cutOff }: WrittenRows,
): string[] =>
  cutOff >= rows
    ? []
    : [
        `${what} npx keel ${verb} --data ${shellWord(data)}${cutOff > 0 ? ' --on-bad-row skip' : ''}`,
      ];
