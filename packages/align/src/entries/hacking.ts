// @keel/align/hacking: what answers do to please a reward, and whether a reward was gamed. Loads no
// model.

export { type AnswerAudit, auditAnswers, type ScoreChange } from '../hacking/audit-answers.ts';
export type { AuditedAnswer, AuditedPrompt, Side } from '../hacking/audited-prompt.ts';
export type { FeatureChange } from '../hacking/feature-changes.ts';
export {
  type AnswerFeature,
  answerFeatures,
} from '../hacking/features/answer-features.ts';
export { answerStyle } from '../hacking/features/answer-style.ts';
export { isInLanguage, knownLanguages, languageOf } from '../hacking/features/language.ts';
export { ReadAnswer } from '../hacking/features/read-answer.ts';
export type { Gainers } from '../hacking/gainers.ts';
export type { Mechanism } from '../hacking/mechanisms.ts';
export type { Verdict, VerdictCode } from '../hacking/verdict.ts';
