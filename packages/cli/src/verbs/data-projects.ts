import { counted } from '@keel/align/checking';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import { showTable } from '../collecting/show-table.ts';
import type { DataProjectsOptions } from '../options/data-projects.ts';
import { say, sayJson } from '../terminal.ts';

export async function run(options: DataProjectsOptions): Promise<number> {
  const { create, rename, as, delete: deleted, json } = options;
  await using store = await openStore(options.database);
  const by = machineUser();
  if (create !== null) await store.openProject(create, by);
  if (rename !== null) await store.renameProject(await store.project(rename), as!, by);
  if (deleted !== null) await store.deleteProject(await store.project(deleted), by);
  const projects = await store.overview();
  if (json) {
    sayJson({ database: store.name, projects });
    return 0;
  }
  if (projects.length > 0)
    showTable([
      ['project', 'tasks', 'finished', 'verdicts', 'people', 'last verdict'],
      ...projects.map(({ name, tasks, finished, verdicts, people, lastActivity }) => [
        ...[name, ...[tasks, finished, verdicts, people].map(String)],
        lastActivity?.slice(0, 10) ?? '-',
      ]),
    ]);
  say(`${counted(projects.length, 'project')} in ${store.name}`);
  return 0;
}
