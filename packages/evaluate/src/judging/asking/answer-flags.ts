import { speaksToJudge } from '@keel/align/judges';

/** What makes an answer's verdict worth a second look: it is empty, or speaks to the judge. */
export const answerFlags = (answer: string): readonly string[] =>
  answer.trim() === '' ? ['empty'] : speaksToJudge(answer);
