// Answers before and after, gathered by their prompts.
import type { Content } from '@keel/align/data';
import { type AnswerRow, promptKey } from '../../judging/answers/answer-row.ts';
import { refuseUnpaired } from '../../judging/answers/compared-pair.ts';

/** A prompt, with its answers on both sides. */
export interface PairedAnswers {
  prompt: Content;
  before: readonly AnswerRow[];
  after: readonly AnswerRow[];
}

export interface Paired {
  prompts: PairedAnswers[];
  /** Answers whose prompt the other side does not have. */
  unpaired: { before: number; after: number };
}

/**
 * A prompt may have several answers on each side, and more on one than on the other.
 * @param unpaired what to do with answers whose prompt the other side does not have
 * @throws DataError naming such answers, unless they are skipped
 */
export function pairByPrompt(
  before: readonly AnswerRow[],
  after: readonly AnswerRow[],
  unpaired: 'fail' | 'skip',
): Paired {
  const keyOf = ({ prompt, rendering }: AnswerRow): string => promptKey(prompt, rendering);
  const byPrompt = (rows: readonly AnswerRow[]) => Map.groupBy(rows, keyOf);
  const [were, are] = [byPrompt(before), byPrompt(after)];
  const prompts = [...were].flatMap(([key, rows]): PairedAnswers[] => {
    const others = are.get(key);
    return others === undefined ? [] : [{ prompt: rows[0]!.prompt, before: rows, after: others }];
  });
  const alone = before.filter((row) => !are.has(keyOf(row)));
  const left = after.filter((row) => !were.has(keyOf(row)));
  if (prompts.length === 0) refuseUnpaired(before, after, [alone, left], 'No prompt is in both');
  if (unpaired === 'fail') refuseUnpaired(before, after, [alone, left]);
  return { prompts, unpaired: { before: alone.length, after: left.length } };
}
