// Tasks as one person sees them, without the names of models, and how far the person is.
import { type Content, contentText } from '@keel/align/data';
import { quantile } from '@keel/statistics';
import { sql } from 'kysely';
import type { Database, Writing } from './database.ts';
import { tasksLeft } from './gold-turns.ts';
import type { HistoryLine, Pace, Progress, StoredVerdict, TaskView } from './items.ts';
import { knownPerson, readSettings } from './projects.ts';
import { isNewest } from './reading.ts';
import { byPlace, type Order } from './sides.ts';
import { verdictOf } from './verdict-rows.ts';

type Reading = Database | Writing;

/** @throws RangeError for a task that this person has never had, or of another project */
export async function viewTask(
  reading: Reading,
  project: string,
  task: string,
  person: string,
): Promise<TaskView> {
  const found = await reading
    .selectFrom('claims')
    .innerJoin('people', 'people.id', 'claims.person_id')
    .innerJoin('tasks', 'tasks.id', 'claims.task_id')
    .innerJoin('prompts', 'prompts.id', 'tasks.prompt_id')
    .select(['tasks.kind', 'prompts.content', 'claims.person_id', 'claims.shown_order'])
    .select(['claims.state', 'claims.claimed_at'])
    .where('claims.task_id', '=', task)
    .where('people.name', '=', person)
    .where('tasks.project_id', '=', project)
    .executeTakeFirst();
  if (found === undefined)
    throw new RangeError(`${person} has no task ${task} in this project. Ask for the next one`);
  const answers = await reading
    .selectFrom('task_answers')
    .innerJoin('answers', 'answers.id', 'task_answers.answer_id')
    .select('answers.content')
    .where('task_id', '=', task)
    .orderBy('position')
    .execute();
  const order: Order =
    found.shown_order === null
      ? answers.map((_, at) => at)
      : (JSON.parse(found.shown_order) as number[]);
  const newest = await reading
    .selectFrom('annotations')
    .selectAll()
    .where('task_id', '=', task)
    .where('person_id', '=', found.person_id)
    .where(isNewest)
    .executeTakeFirst();
  const draft =
    newest === undefined ? null : verdictOf({ ...newest, name: person }, answers.length);
  return {
    ...{ id: task, project, kind: found.kind, state: found.state, since: found.claimed_at },
    prompt: JSON.parse(found.content) as Content,
    answers: order.map((position) => JSON.parse(answers[position]!.content) as Content),
    draft: draft === null ? null : byPlace(draft, order),
  };
}

/** @param share settings.goldShare */
export async function progressOf(
  reading: Reading,
  project: string,
  person: string,
): Promise<Progress> {
  const id = await knownPerson(reading, person);
  const { goldShare: share } = await readSettings(reading, project);
  const isFree = sql<number>`case when tasks.taken < tasks.overlap then 1 else 0 end`;
  const own =
    id === null
      ? []
      : await reading
          .selectFrom('claims')
          .innerJoin('tasks', 'tasks.id', 'claims.task_id')
          .select(['claims.state', 'tasks.is_gold', isFree.as('free')])
          .select(({ fn }) => fn.countAll().as('count'))
          .where('claims.person_id', '=', id)
          .where('claims.project_id', '=', project)
          .groupBy(['claims.state', 'tasks.is_gold', isFree])
          .execute();
  const count = (wanted: (one: (typeof own)[number]) => boolean): number =>
    own.filter(wanted).reduce((sum, one) => sum + Number(one.count), 0);
  const all = await reading
    .selectFrom('tasks')
    .select(['is_gold'])
    .select(({ fn }) => [fn.countAll().as('count'), fn.sum('overlap').as('needed')])
    .select(sql`sum(case when verdicts < overlap then verdicts else overlap end)`.as('done'))
    .where('project_id', '=', project)
    .groupBy('is_gold')
    .execute();
  const { free } = await reading
    .selectFrom('tasks')
    .select(({ fn }) => fn.countAll().as('free'))
    .where('project_id', '=', project)
    .where(sql<boolean>`is_gold = 0`)
    .where(sql<boolean>`taken < overlap`)
    .executeTakeFirstOrThrow();
  const others = all.find(({ is_gold }) => is_gold === 0);
  const gold = Number(all.find(({ is_gold }) => is_gold === 1)?.count ?? 0);
  // A verdict that is taken back is to be given again.
  const held = count(({ state }) => state === 'held');
  // Free tasks that this person has or had are not left for this person.
  const unseen = Number(free) - count((one) => one.is_gold === 0 && Number(one.free) === 1);
  const unseenGold = gold - count(({ is_gold }) => is_gold === 1);
  const turn = count(() => true);
  // A project of nothing but known verdicts is for practice.
  const left =
    others === undefined
      ? unseenGold
      : tasksLeft({ project, person: id ?? '', turn, share }, unseen, unseenGold);
  return {
    mine: count(({ state }) => state === 'done'),
    skipped: count(({ state }) => state === 'skipped'),
    left: held + left,
    done: Number(others?.done ?? 0),
    needed: Number(others?.needed ?? 0),
  };
}

/** Verdicts that the pace is measured on. */
const PACED = 50;

export async function paceOf(reading: Reading, project: string, person: string): Promise<Pace> {
  const rows = await reading
    .selectFrom('annotations')
    .innerJoin('people', 'people.id', 'annotations.person_id')
    .innerJoin('claims', (join) =>
      join
        .onRef('claims.task_id', '=', 'annotations.task_id')
        .onRef('claims.person_id', '=', 'annotations.person_id'),
    )
    .select('annotations.seconds')
    .where('people.name', '=', person)
    .where('annotations.project_id', '=', project)
    .where(isNewest)
    // One that is taken back is not a verdict until it is given again.
    .where('claims.state', '!=', 'held')
    .where('seconds', 'is not', null)
    // A skip takes less time than a verdict.
    .where('choice', 'is not', null)
    .orderBy('annotations.created_at', 'desc')
    .limit(PACED)
    .execute();
  const seconds = new Float64Array(rows.map((one) => one.seconds!)).sort();
  return { seconds: seconds.length === 0 ? null : quantile(seconds, 0.5) };
}

/** Characters of a prompt in a list. */
const SHOWN = 200;

/** A person's newest verdicts, by the order in which the person sees the answers. */
export async function historyOf(
  reading: Reading,
  project: string,
  person: string,
  limit: number,
): Promise<HistoryLine[]> {
  const rows = await reading
    .selectFrom('annotations')
    .innerJoin('people', 'people.id', 'annotations.person_id')
    .innerJoin('tasks', 'tasks.id', 'annotations.task_id')
    .innerJoin('prompts', 'prompts.id', 'tasks.prompt_id')
    .innerJoin('claims', (join) =>
      join
        .onRef('claims.task_id', '=', 'annotations.task_id')
        .onRef('claims.person_id', '=', 'annotations.person_id'),
    )
    .selectAll('annotations')
    .select(['people.name', 'prompts.content', 'tasks.lengths', 'claims.shown_order as own_order'])
    .where('annotations.project_id', '=', project)
    .where('people.name', '=', person)
    .where(isNewest)
    .orderBy('annotations.created_at', 'desc')
    .orderBy('annotations.id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ content, lengths, own_order, ...row }) => {
    const verdict = verdictOf(row, (JSON.parse(lengths) as number[]).length);
    return {
      task: row.task_id,
      prompt: contentText(JSON.parse(content) as Content).slice(0, SHOWN),
      verdict: placed(verdict, own_order),
    };
  });
}

const placed = (verdict: StoredVerdict, order: string | null): StoredVerdict =>
  order === null ? verdict : byPlace(verdict, JSON.parse(order) as number[]);
