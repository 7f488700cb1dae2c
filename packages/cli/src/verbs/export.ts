import { exportModel } from '@keel/align';
import { setThreads } from '@keel/torch';
import { HumanExport, jsonExport } from '../exporting/export-display.ts';
import type { ExportVerbOptions } from '../options/export.ts';

export async function run(options: ExportVerbOptions): Promise<number> {
  if (options.threads !== null) setThreads(options.threads);
  const display = options.json ? jsonExport() : new HumanExport();
  try {
    display.ended(await exportModel(options, (event) => display.event(event)));
    return 0;
  } finally {
    display.close();
  }
}
