// Verdicts of files into the store: as annotations of people, or as the known right ones.
import { insertAll, parts } from './bulk-rows.ts';
import type { Writing } from './database.ts';
import { newId } from './ids.ts';
import type { TaskInput } from './items.ts';
import type { Tables } from './schema.ts';
import { byPosition } from './sides.ts';
import { afterSuggestion, shownTimes } from './suggestions.ts';
import { rowOf, settledRow } from './verdict-rows.ts';

/** A task of a file in the store. */
export interface Placed {
  input: TaskInput;
  /** Of the stored task. */
  id: string;
  /** Where the store has each answer of the file. */
  positions: readonly number[];
}

/** Adds the ids of everybody whom the batch names. */
export async function addPeople(
  writing: Writing,
  placed: readonly Placed[],
  people: Map<string, string>,
  created_at: string,
): Promise<void> {
  const named = placed.flatMap(({ input: { annotations, adjudication } }) =>
    [...annotations, ...(adjudication == null ? [] : [adjudication])].map(({ person }) => person),
  );
  const missing = [...new Set(named)].filter((name) => !people.has(name));
  if (missing.length === 0) return;
  const rows = missing.map((name) => ({ id: newId(), name, created_at }));
  for (const part of parts(rows, 3))
    await writing
      .insertInto('people')
      .values(part)
      .onConflict((one) => one.column('name').doNothing())
      .execute();
  for (const part of parts(missing, 1)) {
    const found = await writing
      .selectFrom('people')
      .select(['id', 'name'])
      .where('name', 'in', part)
      .execute();
    for (const { id, name } of found) people.set(name, id);
  }
}

export async function addVerdicts(
  writing: Writing,
  project_id: string,
  placed: readonly Placed[],
  people: ReadonlyMap<string, string>,
  now: string,
): Promise<number> {
  const annotated = placed.filter(({ input }) => input.annotations.length > 0);
  if (annotated.length === 0) return 0;
  const ids = [...new Set(annotated.map(({ id }) => id))];
  const before = await writing
    .selectFrom('annotations')
    .selectAll()
    .where('task_id', 'in', ids)
    .orderBy('version')
    .execute();
  const newest = new Map(before.map((one) => [`${one.task_id} ${one.person_id}`, one]));
  const claims = await writing
    .selectFrom('claims')
    .selectAll()
    .where('task_id', 'in', ids)
    .execute();
  const shown = await shownTimes(writing, ids);
  const slots = new Slots(claims);
  const claimed = new Map(claims.map((one) => [`${one.task_id} ${one.person_id}`, one]));
  const rows: Tables['annotations'][] = [];
  const outdated: string[] = [];
  const newClaims = new Map<string, Tables['claims']>();
  for (const { input, id: task_id, positions } of annotated) {
    const isShown = input.shown === true && positions.every((place, at) => place === at);
    const seen = {
      shown: Number(isShown),
      shown_order: isShown ? JSON.stringify(positions) : null,
    };
    for (const verdict of input.annotations) {
      const person_id = people.get(verdict.person)!;
      const place = `${task_id} ${person_id}`;
      const last = newest.get(place);
      const row = rowOf(byPosition(verdict, positions), now);
      if (last !== undefined && sameVerdict(last, row)) continue;
      const version = (last?.version ?? 0) + 1;
      const full = {
        ...{ id: newId(), project_id, task_id, person_id, version, newest: 1 },
        ...{ ...seen, ...row },
        after_suggestion: afterSuggestion(shown, { task_id, person_id }, verdict.at ?? null),
      };
      if (last !== undefined) {
        last.newest = 0;
        outdated.push(last.id);
      }
      newest.set(place, full);
      rows.push(full);
      const state = verdict.choice === null ? ('skipped' as const) : ('done' as const);
      const claim = claimed.get(place);
      if (claim === undefined) {
        const made = {
          ...{
            task_id,
            project_id,
            slot: slots.next(task_id, state),
            person_id,
            state,
            claimed_at: now,
          },
          ...{ shown_order: null, reason: null, priority: null, priority_source: null },
          reopened: 0,
        };
        claimed.set(place, made);
        newClaims.set(place, made);
      } else if (claim.state !== state) {
        if ((state === 'skipped') !== claim.slot < 0) claim.slot = slots.next(task_id, state);
        claim.state = state;
        claim.reopened = 0;
        if (!newClaims.has(place)) await moveClaim(writing, claim);
      }
    }
  }
  for (const part of parts(outdated, 1))
    await writing.updateTable('annotations').set({ newest: 0 }).where('id', 'in', part).execute();
  await insertAll(writing, 'annotations', rows);
  await insertAll(writing, 'claims', [...newClaims.values()]);
  return rows.length;
}

/** Which slots of tasks are free. */
class Slots {
  readonly #ends = new Map<string, { first: number; last: number }>();

  constructor(claims: readonly Pick<Tables['claims'], 'task_id' | 'slot'>[]) {
    for (const { task_id, slot } of claims) {
      const ends = this.#of(task_id);
      ends.first = Math.min(ends.first, slot);
      ends.last = Math.max(ends.last, slot);
    }
  }

  /** Those of skipped tasks are negative. */
  next(task: string, state: 'done' | 'skipped'): number {
    const ends = this.#of(task);
    if (state === 'skipped') ends.first -= 1;
    else ends.last += 1;
    return state === 'skipped' ? ends.first : ends.last;
  }

  #of(task: string): { first: number; last: number } {
    const ends = this.#ends.get(task) ?? { first: 0, last: -1 };
    this.#ends.set(task, ends);
    return ends;
  }
}

const moveClaim = (
  writing: Writing,
  { task_id, person_id, slot, state, reopened }: Tables['claims'],
): Promise<unknown> =>
  writing
    .updateTable('claims')
    .set({ slot, state, reopened })
    .where('task_id', '=', task_id)
    .where('person_id', '=', person_id)
    .execute();

/** Whether a verdict says nothing new. What a file has no place for is no change. */
const sameVerdict = (
  one: Tables['annotations'],
  other: Pick<Tables['annotations'], (typeof optional)[number] | 'choice' | 'ranks' | 'flagged'>,
): boolean =>
  one.choice === other.choice &&
  one.ranks === other.ranks &&
  (other.flagged === 0 || one.flagged === 1) &&
  optional.every((name) => other[name] === null || one[name] === other[name]);

const optional = ['strength', 'probability', 'ratings', 'edit', 'comment'] as const;

/** Verdicts that settle tasks, as new versions where they say something new. */
export async function addAdjudications(
  writing: Writing,
  project_id: string,
  placed: readonly Placed[],
  people: ReadonlyMap<string, string>,
  now: string,
): Promise<number> {
  const settled = placed.filter(({ input }) => input.adjudication != null);
  if (settled.length === 0) return 0;
  const before = await writing
    .selectFrom('adjudications')
    .selectAll()
    .where('task_id', 'in', [...new Set(settled.map(({ id }) => id))])
    .orderBy('version')
    .execute();
  const newest = new Map(before.map((one) => [one.task_id, one]));
  const rows: Tables['adjudications'][] = [];
  for (const { input, id: task_id, positions } of settled) {
    const verdict = byPosition(input.adjudication!, positions);
    if (verdict.choice === null) continue;
    const person_id = people.get(verdict.person)!;
    const last = newest.get(task_id);
    const own = { ...settledRow(verdict), choice: verdict.choice };
    const isSame =
      last?.person_id === person_id &&
      last.choice === own.choice &&
      last.ranks === own.ranks &&
      settledOptional.every((name) => own[name] === null || last[name] === own[name]);
    if (isSame) continue;
    const row = {
      ...{ id: newId(), project_id, task_id, person_id, version: (last?.version ?? 0) + 1 },
      ...own,
      created_at: verdict.at ?? now,
    };
    newest.set(task_id, row);
    rows.push(row);
  }
  await insertAll(writing, 'adjudications', rows);
  return rows.length;
}

const settledOptional = ['strength', 'ratings', 'edit', 'comment'] as const;

/** A later gold verdict replaces an earlier one. */
export async function addGold(
  writing: Writing,
  placed: readonly Placed[],
  created_at: string,
): Promise<number> {
  const rows = new Map<string, Tables['gold']>();
  for (const { input, id: task_id, positions } of placed) {
    if (input.gold == null || input.gold.choice === null) continue;
    const { choice, ranks } = byPosition(input.gold, positions);
    const text = ranks == null ? null : JSON.stringify(ranks);
    rows.set(task_id, { task_id, choice: choice!, ranks: text, created_at });
  }
  if (rows.size === 0) return 0;
  await writing
    .deleteFrom('gold')
    .where('task_id', 'in', [...rows.keys()])
    .execute();
  await insertAll(writing, 'gold', [...rows.values()]);
  return rows.size;
}
