import { readFileSync } from 'node:fs';
import { importFiles } from '@keel/studio';
import { showImport } from '../collecting/collecting-display.ts';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import { runOnRows } from '../converting/conversion-display.ts';
import type { DataImportOptions } from '../options/data-import.ts';

export const run = ({
  database,
  json,
  guidelines,
  ...options
}: DataImportOptions): Promise<number> =>
  runOnRows(
    async (hooks) => {
      const text = guidelines === null ? null : readFileSync(guidelines, 'utf8');
      await using store = await openStore(database);
      const given = { ...options, guidelines: text, by: machineUser() };
      return await importFiles(store, given, hooks);
    },
    (summary) => showImport(summary, json),
  );
