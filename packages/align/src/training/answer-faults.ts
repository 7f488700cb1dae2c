import type { Fault } from './tokenised-source.ts';

/** The chat template writes nothing of an answer. */
export const silentFault = (field?: string): Fault => ({
  ...(field !== undefined && { field }),
  expected: 'an answer with some text',
  found: 'an answer of which the chat template writes nothing',
  advice:
    'The template may trim white space or drop reasoning: keel tokens shows the row. Fix the row, or pass --on-bad-row skip',
});

/** Two answers that a row orders are the same tokens. */
export const sameAnswersFault = (better: string, worse: string): Fault => ({
  field: worse,
  expected: 'two answers that the model can tell apart',
  found: `the same tokens as "${better}" once the chat template has rendered both`,
  advice:
    'The template may drop the text in which they differ, such as reasoning: keel tokens shows the row. Fix the row, or pass --on-bad-row skip',
});
