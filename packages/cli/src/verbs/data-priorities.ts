import { counted } from '@keel/align/checking';
import { importPriorities } from '@keel/studio';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import { runOnRows } from '../converting/conversion-display.ts';
import type { DataPrioritiesOptions } from '../options/data-priorities.ts';
import { shellWord } from '../shell-word.ts';
import { say, sayJson } from '../terminal.ts';

export const run = ({ database, json, ...options }: DataPrioritiesOptions): Promise<number> =>
  runOnRows(
    async (hooks) => {
      await using store = await openStore(database);
      const summary = await importPriorities(store, { ...options, by: machineUser() }, hooks);
      const { order } = await store.settings(await store.project(options.project));
      return { ...summary, project: options.project, database: store.name, order };
    },
    (summary) => {
      if (json) {
        sayJson(summary);
        return;
      }
      const { rows, tasks, badRows, firstBadRow, project, order } = summary;
      if (badRows > 0) say(`${counted(badRows, 'bad row')} skipped. First fault: ${firstBadRow}`);
      say(`${counted(rows, 'row')} read, ${counted(tasks, 'task')} with a new priority`);
      say(`project ${project} in ${summary.database}`);
      if (order === 'priority') return;
      const flags = `--project ${shellWord(project)} --order priority`;
      say(`note: people get tasks by another order (${order}): npx keel data settings ${flags}`);
    },
  );
