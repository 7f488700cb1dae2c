// Times of the preference store with many annotations: adding, listing, filtering, giving tasks,
// agreement and quality.
//   node benchmarks/studio-store.ts [--annotations 100000] [--chats] [--database URL]
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resamplingRandom } from '@keel/statistics';
import {
  agreementOf,
  type Choice,
  PreferenceStore,
  projectQuality,
  type TaskInput,
} from '@keel/studio';

const { values } = parseArgs({
  options: {
    annotations: { type: 'string', default: '100000' },
    /** Whether prompts are chats, and not texts. */
    chats: { type: 'boolean', default: false },
    /** An empty database: a postgres:// URL (default: a temporary SQLite file). */
    database: { type: 'string' },
    repeats: { type: 'string', default: '5' },
  },
});
const overlap = 3;
const count = Math.ceil(Number(values.annotations) / overlap);
const folder = mkdtempSync(join(tmpdir(), 'keel-studio-'));
const random = resamplingRandom(1);
const people = Array.from({ length: 30 }, (_, at) => `person ${at + 1}`);

function taskAt(at: number): TaskInput {
  const better = random() < 0.5 ? 'left' : 'right';
  const worse = better === 'left' ? 'right' : 'left';
  const first = Math.floor(random() * people.length);
  const question = `Question ${at}: what should be said of number ${at * 7919}?`;
  const chat = [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content: question },
  ];
  return {
    kind: 'pair',
    prompt: values.chats ? chat : question,
    answers: ['a', 'b'].map((name) => ({
      content: `Answer ${name} ${'.'.repeat(200 * random())}`,
    })),
    shown: true,
    annotations: Array.from({ length: overlap }, (_, one) => {
      const draw = random();
      const choice: Choice = draw < 0.7 ? better : draw < 0.9 ? worse : 'tie';
      const person = people[(first + one) % people.length]!;
      return { person, choice, seconds: 60 * random() };
    }),
  };
}

/**
 * Fastest, median and slowest of several, in milliseconds, and the median of this process's time on
 * processors, which others on the machine change less.
 */
async function time(name: string, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  const used: number[] = [];
  for (let one = 0; one < Number(values.repeats); one++) {
    const [start, before] = [performance.now(), process.cpuUsage()];
    await work();
    times.push(performance.now() - start);
    const { user, system } = process.cpuUsage(before);
    used.push((user + system) / 1000);
  }
  for (const list of [times, used]) list.sort((a, b) => a - b);
  const middle = Math.floor(times.length / 2);
  const shown = [times[0]!, times[middle]!, times.at(-1)!, used[middle]!];
  showLine(name, ...shown.map((one) => one.toFixed(1)));
}

function showLine(name: string, ...cells: readonly string[]): void {
  console.log([name.padEnd(34), ...cells.map((cell) => cell.padStart(8))].join(' '));
}

try {
  await using store = await PreferenceStore.open(values.database ?? join(folder, 'store.sqlite'));
  const project = await store.openProject('benchmark');
  const inputs = Array.from({ length: count }, (_, at) => taskAt(at));
  const start = performance.now();
  const { annotations } = await store.addTasks(project, inputs, { overlap, random });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${count} tasks and ${annotations} annotations added in ${seconds} s`);
  showLine('milliseconds', 'fastest', 'median', 'slowest', 'cpu');
  await time('list, first 100', () => store.annotations(project));
  const last = { limit: 100, offset: annotations - 100 };
  await time('list, last 100', () => store.annotations(project, last));
  await time('filter by person', () => store.annotations(project, { person: 'person 7' }));
  await time('filter by choice, last 100', () =>
    store.annotations(project, { choice: 'tie', offset: Math.floor(annotations / 11) }),
  );
  await time('filter by text', () =>
    store.annotations(project, { text: `number ${7919 * (count - 1)}?` }),
  );
  await time('tasks by text', () => store.taskList(project, { text: 'number 79' }));
  await time('tasks by a word of the form', () => store.taskList(project, { text: 'content' }));
  await time('tasks by a word of all', () => store.taskList(project, { text: 'question' }));
  await time('tasks, most disputed first', () => store.disagreements(project));
  await time('overview', () => store.overview());
  // A new person has everything before them, and the overlap has room for one more.
  await store.saveSettings(project, { overlap: overlap + 1 });
  await time('next task, and its verdict', async () => {
    const { task } = await store.next(project, 'person 31');
    await store.annotate(task!.id, 'person 31', { choice: 'left', seconds: 5 });
  });
  await time('agreement: reading votes', () => store.votes(project));
  const votes = await store.votes(project);
  await time('agreement: computing', async () => agreementOf(votes));
  await time('agreement: all', async () => agreementOf(await store.votes(project)));
  await time('quality of all people', () => projectQuality(store, project));
  console.log(
    `load at the end: ${loadavg()
      .map((one) => one.toFixed(1))
      .join(', ')}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
