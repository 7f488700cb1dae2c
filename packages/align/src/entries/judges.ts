// @keel/align/judges: judges that compare or rate answers.

export type {
  AnswerRating,
  Exchange,
  Judge,
  JudgedAnswer,
  JudgedPair,
  JudgedPrompt,
  JudgeUsage,
  NoVerdict,
  PairVerdict,
} from '../judges/judge.ts';
