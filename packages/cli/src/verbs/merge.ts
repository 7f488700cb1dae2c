import { averageModels, mergeModel } from '@keel/align';
import { setThreads } from '@keel/torch';
import { HumanMerge, jsonMerge } from '../merging/merge-display.ts';
import type { MergeVerbOptions } from '../options/merge.ts';

export async function run(options: MergeVerbOptions): Promise<number> {
  if (options.threads !== null) setThreads(options.threads);
  const display = options.json ? jsonMerge() : new HumanMerge();
  try {
    if (options.average) {
      display.averaged(await averageModels(options, (event) => display.event(event)));
      return 0;
    }
    display.ended(await mergeModel(options, (event) => display.event(event)));
    return 0;
  } finally {
    display.close();
  }
}
