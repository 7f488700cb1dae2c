// One person at work, in a process: claims tasks and annotates them until none is left. Each line
// of its output is a task whose verdict was confirmed.
import { PreferenceStore } from '../preference-store.ts';

const [database, project, person] = process.argv.slice(2) as [string, string, string];
await using store = await PreferenceStore.open(database);
const id = await store.project(project);
for (;;) {
  const task = await store.claim(id, person);
  if (task === null) break;
  await store.annotate(task, person, { choice: 'left', comment: `from ${person}` });
  process.stdout.write(`${task}\n`);
}
