import { lineOf, shownOf } from '../collecting/listing.ts';
import { openStore } from '../collecting/open-store.ts';
import { showTable } from '../collecting/show-table.ts';
import type { DataTasksOptions } from '../options/data-tasks.ts';
import { say, sayJson } from '../terminal.ts';

export async function run(options: DataTasksOptions): Promise<number> {
  const { project, database, json, limit, offset, sort, ...filter } = options;
  await using store = await openStore(database);
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  const { total, tasks } = await store.taskList(
    await store.project(project),
    Object.fromEntries(given),
    { limit, offset, sort },
  );
  if (json) {
    sayJson({ total, tasks });
    return 0;
  }
  if (tasks.length > 0)
    showTable(
      [
        ['task', 'prompt', 'verdicts', 'dispute', 'priority', 'set by'],
        ...tasks.map(({ id, prompt, verdicts, overlap, dispute, priority, prioritySource }) => [
          ...[id, lineOf(prompt), `${verdicts} of ${overlap}`, dispute.toFixed(2)],
          ...(prioritySource === null ? ['-', '-'] : [priority.toPrecision(3), prioritySource]),
        ]),
      ],
      2,
    );
  say(shownOf(tasks.length, total, 'task', offset));
  return 0;
}
