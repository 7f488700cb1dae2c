import { readFileSync } from 'node:fs';
import { importFiles } from '@keel/studio';
import { showImport } from '../collecting/collecting-display.ts';
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
      return await importFiles(store, { ...options, guidelines: text }, hooks);
    },
    (summary) => showImport(summary, json),
  );
