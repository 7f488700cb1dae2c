/** What makes an answer's verdict worth a second look. */
export const answerFlags = (answer: string): readonly string[] =>
  answer.trim() === '' ? ['empty'] : [];
