import { convertRows } from '@keel/align/converting';
import { runOnRows, showConversion } from '../converting/conversion-display.ts';
import type { DataConvertOptions } from '../options/data-convert.ts';

export const run = ({ json, ...options }: DataConvertOptions): Promise<number> =>
  runOnRows(
    (hooks) => convertRows({ ...options, system: null, keep: null, drop: null }, hooks),
    (summary) => showConversion(summary, { json, detected: true }),
  );
