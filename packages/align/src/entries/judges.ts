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
export { isNoVerdict, noVerdict } from '../judges/judgements.ts';
export { openModelJudge } from '../judges/model/model-judge.ts';
export { type JudgeKind, type JudgeOptions, judgeKind } from '../judges/opening/judge-kind.ts';
export { judgeKinds } from '../judges/opening/judge-kinds.ts';
export { openJudgeOf } from '../judges/opening/open-judge.ts';
export { type PanelMember, type PanelRule, panelJudge } from '../judges/panel/panel-judge.ts';
