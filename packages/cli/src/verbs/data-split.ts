import { splitRows } from '@keel/align/converting';
import { runOnRows, showSplit } from '../converting/conversion-display.ts';
import type { DataSplitOptions } from '../options/data-split.ts';

export const run = ({ json, ...options }: DataSplitOptions): Promise<number> =>
  runOnRows(
    (hooks) => splitRows(options, hooks),
    (summary) => showSplit(summary, options.by, json),
  );
