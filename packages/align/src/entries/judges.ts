// @keel/align/judges: judges that compare or rate answers.

export { relativeToSpec } from '../config/relative-to-spec.ts';
export { dialogue, wholeAnswer } from '../data/message-text.ts';
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
export { isNoVerdict, noUsage, noVerdict } from '../judges/judgements.ts';
export { openModelJudge } from '../judges/model/model-judge.ts';
export { type JudgeKinds, type JudgeOptions, judgeKind } from '../judges/opening/judge-kind.ts';
export { judgeKinds } from '../judges/opening/judge-kinds.ts';
export { openJudgeOf } from '../judges/opening/open-judge.ts';
export { type PanelMember, type PanelRule, panelJudge } from '../judges/panel/panel-judge.ts';
export { speaksToJudge } from '../judges/speaking/speaks-to-judge.ts';
