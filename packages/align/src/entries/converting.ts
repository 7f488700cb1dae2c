// @keel/align/converting: files of rows in other forms. Does not load LibTorch.

export {
  type ConversionHooks,
  type ConversionOptions,
  convertRows,
} from '../converting/convert-rows.ts';
export {
  type SplitOptions,
  type SplitPart,
  type SplitSummary,
  splitRows,
} from '../converting/split-rows.ts';
export type { ConversionSummary } from '../converting/tally.ts';
