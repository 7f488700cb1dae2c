// @keel/align/converting: files of rows in other forms. Does not load LibTorch.

export {
  type ConversionOptions,
  convertRows,
  refuseLookalikes,
} from '../converting/convert-rows.ts';
export type { Example, Fields, Reading, RowFormat } from '../converting/formats/example.ts';
export { detectFormat, formatNamed } from '../converting/formats/formats.ts';
export { type ConversionHooks, groupedRows } from '../converting/grouped-rows.ts';
export { refuseExisting } from '../converting/refuse-existing.ts';
export {
  type SplitOptions,
  type SplitPart,
  type SplitSummary,
  splitRows,
} from '../converting/split-rows.ts';
export { type ConversionSummary, Tally } from '../converting/tally.ts';
export { rowsOfExample } from '../converting/targets.ts';
