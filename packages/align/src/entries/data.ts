// @keel/align/data: rows, their kinds and their readers.

export { otherAnswerFault } from '../data/answer-forms.ts';
export { truthIn } from '../data/csv-cells.ts';
export {
  DataError,
  type DataErrorDetails,
  describeValue,
  type Place,
  placeName,
} from '../data/data-error.ts';
export { leftOutOfPrompt, rowMarkFault } from '../data/dropped-columns.ts';
export { eachValue } from '../data/each-value.ts';
export { likelier, pairRanks } from '../data/label-probability.ts';
export { isTrained } from '../data/message-fields.ts';
export { dialogue, wholeAnswer } from '../data/message-text.ts';
export {
  asRead,
  type Content,
  contentText,
  isChat,
  type Message,
  textOf,
} from '../data/messages.ts';
export { openEither, openOneOf, type SourceOf } from '../data/open-either.ts';
export { openRows, type RowSource } from '../data/open-rows.ts';
export { type PlacedValue, ValueSource } from '../data/open-values.ts';
export { parseRow } from '../data/parse-row.ts';
export { type Rendering, renderingColumns } from '../data/rendering.ts';
export { RowFaults, tokenisedAt } from '../data/row-faults.ts';
export {
  type CompletionRow,
  type JudgedRow,
  type PreferenceRow,
  type PromptRow,
  type RankingRow,
  type Row,
  type RowKind,
  type RowOf,
  rowKinds,
  type SamplesRow,
  type SupervisedRow,
} from '../data/rows.ts';
export { OrderedSampler, type SamplerState, shuffledOrder } from '../data/shuffle.ts';
export { trainingFault } from '../data/training-fault.ts';
