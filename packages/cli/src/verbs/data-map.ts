import { convertRows } from '@keel/align/converting';
import { runOnRows, showConversion } from '../converting/conversion-display.ts';
import type { DataMapOptions } from '../options/data-map.ts';

export const run = ({ json, ...options }: DataMapOptions): Promise<number> =>
  runOnRows(
    (hooks) => convertRows({ ...options, from: 'keel', score: null }, hooks),
    (summary) => showConversion(summary, { json, detected: false }),
  );
