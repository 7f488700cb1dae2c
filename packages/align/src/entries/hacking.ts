// @keel/align/hacking: what answers do to please a reward, and whether a reward was gamed. Loads no
// model.

export {
  type AnswerFeature,
  answerFeatures,
  type FeatureAnswer,
} from '../hacking/features/answer-features.ts';
export { answerStyle } from '../hacking/features/answer-style.ts';
export { isInLanguage, knownLanguages } from '../hacking/features/language.ts';
