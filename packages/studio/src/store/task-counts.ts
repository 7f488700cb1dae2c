// What a task's row says of its verdicts and claims, kept right by every write.
import { sql } from 'kysely';
import type { Database, Writing } from './database.ts';
import { type PackedVote, packVotes } from './packed-votes.ts';
import type { Tables } from './schema.ts';
import { storedOrder } from './sides.ts';

/** Tasks counted at a time: each has several parameters in a statement. */
const BATCH = 500;

/** Counts verdicts and claims of tasks again. */
export async function countTasks(writing: Writing, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += BATCH)
    await countBatch(writing, ids.slice(at, at + BATCH));
}

type Annotation = Pick<
  Tables['annotations'],
  | 'task_id'
  | 'person_id'
  | 'choice'
  | 'ranks'
  | 'shown'
  | 'shown_order'
  | 'seconds'
  | 'flagged'
  | 'created_at'
>;

async function countBatch(writing: Writing, ids: readonly string[]): Promise<void> {
  const rows: Annotation[] = await writing
    .selectFrom('annotations')
    .select(['task_id', 'person_id', 'choice', 'ranks', 'shown', 'shown_order'])
    .select(['seconds', 'flagged', 'created_at'])
    .where('task_id', 'in', ids)
    .orderBy('task_id')
    .orderBy('person_id')
    .orderBy('version')
    .execute();
  const newest = new Map<string, Map<string, Annotation>>();
  for (const row of rows) {
    const own = newest.get(row.task_id) ?? new Map<string, Annotation>();
    newest.set(row.task_id, own.set(row.person_id, row));
  }
  const claims = await writing
    .selectFrom('claims')
    .select(['task_id', ({ fn }) => fn.countAll().as('count')])
    .where('task_id', 'in', ids)
    .where('slot', '>=', 0)
    .groupBy('task_id')
    .execute();
  const taken = new Map(claims.map(({ task_id, count }) => [task_id, Number(count)]));
  const gold = await idsIn(writing, 'gold', ids);
  const adjudicated = await idsIn(writing, 'adjudications', ids);
  const values = ids.map((id) => {
    const own = [...(newest.get(id)?.values() ?? [])];
    const votes = own.flatMap(voteOf);
    const last = own.reduce(
      (latest, one) => (one.created_at > latest ? one.created_at : latest),
      '',
    );
    return sql`(${sql.join([
      ...[id, Number(gold.has(id)), taken.get(id) ?? 0, votes.length, own.length - votes.length],
      ...[own.filter(({ flagged }) => flagged === 1).length, disputeOf(votes)],
      ...[Number(adjudicated.has(id)), last === '' ? null : last, packVotes(votes)],
    ])})`;
  });
  // The names of a list's columns are the same in SQLite and PostgreSQL, where all are texts.
  await sql`update tasks set is_gold = cast(column2 as integer), taken = cast(column3 as integer),
    verdicts = cast(column4 as integer), skips = cast(column5 as integer),
    flags = cast(column6 as integer), dispute = cast(column7 as double precision),
    adjudicated = cast(column8 as integer), answered_at = column9, votes = column10
    from (values ${sql.join(values)}) as counted where tasks.id = column1`.execute(writing);
}

async function idsIn(
  writing: Writing,
  table: 'gold' | 'adjudications',
  ids: readonly string[],
): Promise<Set<string>> {
  const rows = await writing
    .selectFrom(table)
    .select('task_id')
    .where('task_id', 'in', ids)
    .execute();
  return new Set(rows.map(({ task_id }) => task_id));
}

function voteOf(row: Annotation): PackedVote[] {
  const { person_id: person, choice, seconds, shown, shown_order } = row;
  if (choice === null) return [];
  const ranks = row.ranks === null ? null : (JSON.parse(row.ranks) as number[]);
  const order = storedOrder(shown_order, shown, 1);
  return [{ person, choice, ranks, first: order?.[0] ?? null, seconds }];
}

/** Share of the pairs of people who disagree; of rankings the mean over each two answers. */
export function disputeOf(votes: readonly Pick<PackedVote, 'choice' | 'ranks'>[]): number {
  let [sum, units] = [0, 0];
  const add = (said: readonly unknown[]): void => {
    units += 1;
    for (const [at, one] of said.entries())
      for (const other of said.slice(at + 1)) if (one !== other) sum += 1;
  };
  const ranks = votes.flatMap(({ ranks: one }) => (one === null ? [] : [one]));
  if (ranks.length === 0) add(votes.map(({ choice }) => choice));
  for (let i = 0; i < (ranks[0]?.length ?? 0); i++)
    for (let j = i + 1; j < ranks[0]!.length; j++)
      add(ranks.map((one) => Math.sign(one[i]! - one[j]!)));
  const pairs = (votes.length * (votes.length - 1)) / 2;
  return pairs === 0 || units === 0 ? 0 : sum / (pairs * units);
}

/** Counts the tasks that were there before counts were. */
export async function countUncounted(database: Database): Promise<void> {
  for (let left = true; left; ) {
    const rows = await database
      .selectFrom('tasks')
      .select('id')
      .where('votes', 'is', null)
      .limit(BATCH)
      .execute();
    left = rows.length > 0;
    const ids = rows.map(({ id }) => id);
    if (left) await database.transaction().execute((writing) => countBatch(writing, ids));
  }
}
