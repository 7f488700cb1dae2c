import { checkExport, exportProject } from '@keel/studio';
import { showExport } from '../collecting/collecting-display.ts';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import type { DataExportOptions } from '../options/data-export.ts';

export async function run({ database, json, ...options }: DataExportOptions): Promise<number> {
  checkExport(options);
  await using store = await openStore(database);
  showExport(await exportProject(store, { ...options, by: machineUser() }), json);
  return 0;
}
