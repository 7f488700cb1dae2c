// What a project's people said, for agreement and for a look at how they work: one line for each
// verdict, not whole tasks.
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { unpackVotes } from './packed-votes.ts';
import { isNewest } from './reading.ts';
import type { Choice, Tables, TaskKind } from './schema.ts';
import { storedOrder } from './sides.ts';
import { ranksIn } from './verdict-rows.ts';

/** What agreement is computed from: the newest verdict of a person on a task. */
export interface VoteLine {
  task: VotedTask;
  /** Place in the list of people. */
  person: number;
  choice: Choice;
  ranks: readonly number[] | null;
  /** Position of the answer that was shown first, on the left; null: not known. */
  first: number | null;
  seconds: number | null;
  /** As {@link StoredVerdict.afterSuggestion}. */
  afterSuggestion: boolean | null;
}

/** Facts about the tasks that are compared with verdicts. */
export interface VotedTask {
  id: string;
  kind: TaskKind;
  /** In characters, by position. */
  lengths: readonly number[];
  gold: { choice: Choice; ranks: readonly number[] | null } | null;
}

export interface Votes {
  /** By task. */
  lines: readonly VoteLine[];
  people: readonly string[];
  skipped: number;
}

export interface VotesOptions {
  /**
   * Takes each person's last verdict before a suggestion was shown, and none where that is not
   * known (default: false, the newest verdicts).
   */
  independent?: boolean;
}

export async function readVotes(
  database: Database,
  project: string,
  { independent = false }: VotesOptions,
): Promise<Votes> {
  // All tasks as one text: what takes long is a value for each of many rows and columns.
  const { all } = await database
    .selectFrom((from) =>
      from
        .selectFrom('tasks')
        .select(
          sql<string>`id || ' ' || kind || ' ' || skips || ' ' || lengths || '|' || votes
          || ';'`.as('line'),
        )
        .where('project_id', '=', project)
        .orderBy('id')
        .as('tasks'),
    )
    .select(sql<string | null>`string_agg(line, '')`.as('all'))
    .executeTakeFirstOrThrow();
  const known = await database
    .selectFrom('gold')
    .innerJoin('tasks', 'tasks.id', 'gold.task_id')
    .select(['gold.task_id', 'gold.choice', 'gold.ranks'])
    .where('tasks.project_id', '=', project)
    .execute();
  const names = await database.selectFrom('people').select(['id', 'name']).execute();
  const nameOf = new Map(names.map(({ id, name }) => [id, name]));
  const gold = new Map(
    known.map(({ task_id, choice, ranks }) => [task_id, { choice, ranks: ranksIn(ranks) }]),
  );
  const suggested = await suggestedVerdicts(database, project);
  const people: string[] = [];
  const places = new Map<string, number>();
  const lines: VoteLine[] = [];
  let skipped = 0;
  const text = all ?? '';
  const placeOf = (personId: string): number => {
    let person = places.get(personId);
    if (person === undefined) {
      person = people.length;
      places.set(personId, person);
      people.push(nameOf.get(personId)!);
    }
    return person;
  };
  for (let at = 0; at < text.length; ) {
    const head = text.indexOf('|', at);
    const end = text.indexOf(';', head);
    const [id, kind, skips, lengths] = text.slice(at, head).split(' ') as [
      string,
      TaskKind,
      string,
      string,
    ];
    at = end + 1;
    skipped += Number(skips);
    const changed = suggested.get(id);
    if (head + 1 === end && changed === undefined) continue;
    const task: VotedTask = {
      id,
      kind,
      lengths: JSON.parse(lengths) as number[],
      gold: gold.get(id) ?? null,
    };
    unpackVotes(text, { start: head + 1, end }, (personId, choice, ranks, first, seconds) => {
      const state = changed?.get(personId);
      if (independent && state !== undefined) return;
      const afterSuggestion = state === undefined ? false : state.after;
      const person = placeOf(personId);
      lines.push({ task, person, choice, ranks, first, seconds, afterSuggestion });
    });
    if (!independent) continue;
    for (const [personId, { isSkip, before }] of changed ?? []) {
      skipped -= Number(isSkip);
      if (before === null) continue;
      const { choice, ranks, shown, shown_order, seconds } = before;
      if (choice === null) skipped += 1;
      else {
        const first = storedOrder(shown_order, shown, 1)?.[0] ?? null;
        const said = { choice, ranks: ranksIn(ranks), first, seconds };
        lines.push({ task, person: placeOf(personId), ...said, afterSuggestion: false });
      }
    }
  }
  return { lines, people, skipped };
}

type VoteColumns = Pick<
  Tables['annotations'],
  'choice' | 'ranks' | 'shown' | 'shown_order' | 'seconds'
>;

/** A person's newest verdict on a task, which is not surely independent of suggestions. */
interface Suggested {
  /** null: not known. */
  after: boolean | null;
  isSkip: boolean;
  /** The last version that is independent; null if there is none. */
  before: VoteColumns | null;
}

/** By task and person. */
async function suggestedVerdicts(
  database: Database,
  project: string,
): Promise<Map<string, Map<string, Suggested>>> {
  const found = new Map<string, Map<string, Suggested>>();
  const rows = await database
    .selectFrom('annotations')
    .leftJoin('annotations as earlier', (join) =>
      join
        .onRef('earlier.task_id', '=', 'annotations.task_id')
        .onRef('earlier.person_id', '=', 'annotations.person_id')
        .on('earlier.after_suggestion', '=', 0),
    )
    .select(['annotations.task_id', 'annotations.person_id', 'annotations.after_suggestion'])
    .select(['annotations.choice as own', 'earlier.version', 'earlier.choice', 'earlier.ranks'])
    .select(['earlier.shown', 'earlier.shown_order', 'earlier.seconds'])
    .where('annotations.project_id', '=', project)
    // Written out, as the index of these rows.
    .where(
      sql<boolean>`annotations.newest = 1
      and (annotations.after_suggestion is null or annotations.after_suggestion = 1)`,
    )
    .orderBy('annotations.task_id')
    .orderBy('annotations.person_id')
    .orderBy('earlier.version')
    .execute();
  for (const { task_id, person_id, after_suggestion, own, version, shown, ...vote } of rows) {
    const people = found.get(task_id) ?? new Map<string, Suggested>();
    found.set(task_id, people);
    // The last one stays.
    people.set(person_id, {
      after: after_suggestion === null ? null : after_suggestion === 1,
      isSkip: own === null,
      before: version === null ? null : { ...vote, shown: shown! },
    });
  }
  return found;
}

/** A run of pairs for which a person chose the same side. */
export interface SideRun {
  side: 'left' | 'right';
  length: number;
  /** Decided pairs in a known order, in the run or not. */
  pairs: number;
}

/** The longest run of each person, in the order of the newest verdicts' times. */
export async function readStreaks(
  database: Database,
  project: string,
): Promise<Map<string, SideRun>> {
  const rows = await database
    .selectFrom('annotations')
    .select(['person_id', 'choice', 'shown'])
    .where('project_id', '=', project)
    .where('choice', 'in', ['left', 'right'])
    .where('shown', '>', 0)
    .where(isNewest)
    .orderBy('person_id')
    .orderBy('created_at')
    .orderBy('annotations.id')
    .execute();
  const names = await database.selectFrom('people').select(['id', 'name']).execute();
  const nameOf = new Map(names.map(({ id, name }) => [id, name]));
  const longest = new Map<string, SideRun>();
  let run = { person: '', side: '', length: 0 };
  for (const { person_id, choice, shown } of rows) {
    const side = (choice === 'left') === (shown === 1) ? 'left' : 'right';
    const again = run.person === person_id && run.side === side;
    run = { person: person_id, side, length: again ? run.length + 1 : 1 };
    const name = nameOf.get(person_id)!;
    const best = longest.get(name) ?? { side, length: 0, pairs: 0 };
    best.pairs += 1;
    if (run.length > best.length) {
      best.length = run.length;
      best.side = side;
    }
    longest.set(name, best);
  }
  return longest;
}
