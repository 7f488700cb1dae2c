// Which columns of a prompt's row go to the rows that are made of its new answers.
import { answerColumns, leftOutOfPrompt } from './dropped-columns.ts';
import { finishColumns } from './finish-reasons.ts';
import type { Content } from './messages.ts';

/** Fields that would make a row another kind of row: other answers, and verdicts. */
const otherAnswers: readonly string[] = [
  ...['messages', 'text', 'completion', 'completions', 'chosen', 'rejected', 'ranking', 'scores'],
  ...['label', 'labels', 'label_probability', 'margin', 'score_chosen', 'score_rejected'],
];

export interface CarriedColumns {
  columns: Readonly<Record<string, unknown>>;
  /** Names of those that are not written, because they are of another answer. */
  dropped: readonly string[];
}

/**
 * The row's other columns, without those of another answer than the new one.
 * @param written names of columns that the verb writes itself
 */
export function carriedColumns(
  extra: Readonly<Record<string, unknown>>,
  written: readonly string[],
): CarriedColumns {
  const dropped = new Set([
    ...[...otherAnswers, ...written].filter((name) => Object.hasOwn(extra, name)),
    ...answerColumns(extra),
  ]);
  // Why an answer ended is said of the new one.
  const columns = Object.entries(extra).filter(
    ([name]) => !dropped.has(name) && !finishColumns.includes(name),
  );
  return { columns: Object.fromEntries(columns), dropped: [...dropped] };
}

/** {@link carriedColumns}, also without text that belongs to the prompt and is not in it. */
export function carriedBeside(
  prompt: Content,
  extra: Readonly<Record<string, unknown>>,
  written: readonly string[],
): CarriedColumns {
  const carried = carriedColumns(extra, written);
  const columns: Record<string, unknown> = { ...carried.columns };
  const dropped = [...carried.dropped];
  for (;;) {
    const fault = leftOutOfPrompt({ prompt, extra: columns });
    if (fault?.field === undefined) return { columns, dropped };
    dropped.push(fault.field);
    delete columns[fault.field];
  }
}

/** Says which fields are not written. */
export const droppedNotice = (names: readonly string[]): string =>
  `the rows are written without their fields ${names.join(', ')}, which belong to other answers, are no part of the prompt, or have the name of a field that is written`;
