import type { Fault } from './tokenised-source.ts';

/** The chat template writes nothing of an answer. */
export const silentFault = (field?: string): Fault => ({
  ...(field !== undefined && { field }),
  expected: 'an answer with some text',
  found: 'an answer of which the chat template writes nothing',
  advice:
    'The template may trim white space or drop reasoning: see the row with keel tokens. Fix the row, or pass --on-bad-row skip',
});

/** Two answers that a row orders are the same tokens. */
export const sameAnswersFault = (better: string, worse: string): Fault => ({
  field: worse,
  expected: 'two answers that the model can tell apart',
  found: `the same tokens as "${better}" once the chat template has rendered both`,
  advice:
    'The template may drop what makes them differ, such as reasoning: see the row with keel tokens. Fix the row, or pass --on-bad-row skip',
});
