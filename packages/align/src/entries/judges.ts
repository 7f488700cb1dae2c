// @keel/align/judges: judges that compare or rate answers.

export { relativeToSpec } from '../config/relative-to-spec.ts';
export { dialogue, wholeAnswer } from '../data/message-text.ts';
export { labelPair, type PairLabel, type UnlabelledPair } from '../feedback/label-pair.ts';
export {
  type CacheCounts,
  type CachedJudge,
  type CacheOptions,
  withCache,
} from '../judges/cache/with-cache.ts';
export { Budget, type BudgetLimits, type Prices } from '../judges/endpoint/budget.ts';
export type { Completion, TokenLogprob, WrittenToken } from '../judges/endpoint/completion.ts';
export {
  EndpointClient,
  type EndpointOptions,
  openEndpoint,
} from '../judges/endpoint/endpoint-client.ts';
export {
  BudgetError,
  EndpointError,
  type EndpointErrorCode,
  type Spending,
} from '../judges/endpoint/endpoint-error.ts';
export {
  EndpointJudge,
  type EndpointJudgeSpec,
  endpointJudgeSchema,
  endpointJudgeShape,
  openEndpointJudge,
} from '../judges/endpoint/endpoint-judge.ts';
export { type EndpointSpec, endpointSchema } from '../judges/endpoint/endpoint-spec.ts';
export type { CompleteOptions } from '../judges/endpoint/request-body.ts';
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
export { isNoVerdict, noUsage, noVerdict, totalUsage } from '../judges/judgements.ts';
export { openModelJudge } from '../judges/model/model-judge.ts';
export { type JudgeKinds, type JudgeOptions, judgeKind } from '../judges/opening/judge-kind.ts';
export { judgeKinds } from '../judges/opening/judge-kinds.ts';
export { openJudgeOf } from '../judges/opening/open-judge.ts';
export { readJudge } from '../judges/opening/read-judge-spec.ts';
export { orderWarning } from '../judges/order-agreement.ts';
export { type PanelMember, type PanelRule, panelJudge } from '../judges/panel/panel-judge.ts';
export { askingShape, checkAsking } from '../judges/prompts/asking.ts';
export { speaksToJudge } from '../judges/speaking/speaks-to-judge.ts';
