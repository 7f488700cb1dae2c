// @keel/align/checking: what is in files of rows, before anything is trained on them.

export type { Bin, Distribution } from '../checking/distribution.ts';
export type { ExaminedFacts } from '../checking/examine-rows.ts';
export { type LabelProbabilities, probabilitiesText } from '../checking/label-probabilities.ts';
export type { Repeats } from '../checking/repeats.ts';
export { formText, kindsText } from '../checking/summary-lines.ts';
export { counted, pairOf, percent } from '../checking/warnings.ts';
export {
  type CheckedModel,
  type CheckOptions,
  checkData,
  type DataFindings,
  faultCount,
} from '../inspecting/check-data.ts';
export type { ErrorFacts } from '../inspecting/row-errors.ts';
