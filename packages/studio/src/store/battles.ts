// Battles: two models answer a person's prompts side by side, and the person says who is better.
import type { Database, Writing } from './database.ts';
import { newId } from './ids.ts';
import { leakIn } from './leaks.ts';
import { knownPerson, lockProject, personNamed, readSettings } from './projects.ts';
import { type BattleReason, type BattleVote, battleVotes, type Tables } from './schema.ts';
import { drawOrder } from './sides.ts';

/** What a person asked, and what the model on each side answered. */
export interface BattleTurn {
  prompt: string;
  left: string;
  right: string;
}

/** A battle as its person sees it: who is on which side is told after the vote. */
export interface BattleView {
  id: string;
  project: string;
  category: string | null;
  turns: readonly BattleTurn[];
  vote: BattleVote | null;
  /** null before the vote. */
  models: { left: string; right: string } | null;
  at: string;
}

/** Everything that the store has of a battle. */
export interface StoredBattle extends Omit<BattleView, 'models'> {
  person: string;
  models: { left: string; right: string };
  comment: string | null;
  seconds: number | null;
  /** What in the answers names a model or its maker; null: nothing. */
  leak: string | null;
  /** Why these models met; null: who started the battle named them. */
  reason: BattleReason | null;
  /**
   * By which share a vote was expected to reduce the variance of all differences of ratings; null
   * without a reason.
   */
  gain: number | null;
  votedAt: string | null;
}

/** How a battle starts. */
export interface BattleOptions {
  category?: string | null;
  /** Why these models meet, and what a vote is expected to tell. */
  reason?: BattleReason | null;
  gain?: number | null;
  /** Draws in [0, 1) that decide the sides (default: Math.random). */
  random?(): number;
}

/** Which battles are listed, newest first. */
export interface BattleFilter {
  person?: string;
  /** A model on either side. */
  model?: string;
  voted?: boolean;
  /** Whether an answer names its model or maker. */
  leaked?: boolean;
  /** Default: 50. */
  limit?: number;
  offset?: number;
}

/** @param models in any order: the sides are drawn */
export async function startBattle(
  writing: Writing,
  project: string,
  person: string,
  models: readonly [string, string],
  { category = null, reason = null, gain = null, random = Math.random }: BattleOptions,
): Promise<BattleView> {
  // Fails where there is no such project.
  await readSettings(writing, project);
  if (models[0] === models[1])
    throw new RangeError(`a battle needs two models, found ${models[0]} twice`);
  const [left, right] = drawOrder(2, random).map((at) => models[at]!) as [string, string];
  const row = {
    ...{ id: newId(), project_id: project, person_id: await personNamed(writing, person) },
    ...{ model_left: left, model_right: right, category, turns: '[]', vote: null, comment: null },
    ...{ seconds: null, leak: null, styles: null, reason, gain, voted_at: null },
    created_at: new Date().toISOString(),
  };
  await writing.insertInto('battles').values(row).execute();
  return viewOf(row);
}

/** The battle has other turns than those that the caller knows. */
export class ChangedBattleError extends RangeError {
  constructor(battle: string, turns: number, known: number) {
    super(
      `battle ${battle} has ${turns} turns, and not ${known}. Read it again with battleFor, then ask`,
    );
    this.name = 'ChangedBattleError';
  }
}

/** @returns the battle with the turn */
export async function addTurn(
  writing: Writing,
  battle: string,
  person: string,
  { known, ...turn }: BattleTurn & { known?: number },
  postgres: boolean,
): Promise<BattleView> {
  const row = await ownBattle(writing, battle, person, postgres);
  if (row.vote !== null)
    throw new RangeError(`battle ${battle} has a vote: its models are known. Start another one`);
  if (turn.prompt.trim() === '') throw new RangeError('the prompt is empty');
  const before = turnsIn(row.turns);
  if (known !== undefined && known !== before.length)
    throw new ChangedBattleError(battle, before.length, known);
  const turns = JSON.stringify([...before, turn]);
  await writing.updateTable('battles').set({ turns }).where('id', '=', battle).execute();
  return viewOf({ ...row, turns });
}

/** @returns the battle with the models' names */
export async function voteBattle(
  writing: Writing,
  battle: string,
  person: string,
  { vote, comment = null, seconds = null }: GivenVote,
  postgres: boolean,
): Promise<BattleView> {
  const row = await ownBattle(writing, battle, person, postgres);
  if (row.vote !== null) throw new RangeError(`battle ${battle} has a vote already`);
  if (!battleVotes.includes(vote))
    throw new RangeError(`a vote is ${battleVotes.join(', ')}, not ${vote}`);
  if (seconds !== null && !(seconds >= 0 && Number.isFinite(seconds)))
    throw new RangeError(`a time is a number of seconds from 0, found ${seconds}`);
  const turns = turnsIn(row.turns);
  if (turns.length === 0)
    throw new RangeError(`battle ${battle} has no answers yet. Ask something first`);
  const values = { vote, comment, seconds, leak: leakOf(row, turns) };
  const voted_at = new Date().toISOString();
  await writing
    .updateTable('battles')
    .set({ ...values, voted_at })
    .where('id', '=', battle)
    .execute();
  return viewOf({ ...row, ...values, voted_at });
}

/** A vote with what goes with it. */
export interface GivenVote {
  vote: BattleVote;
  comment?: string | null;
  /** Time that the person took. */
  seconds?: number | null;
}

type Row = Tables['battles'];

/** @throws RangeError for an unknown battle, and that of somebody else */
async function ownBattle(
  writing: Writing,
  battle: string,
  person: string,
  postgres: boolean,
): Promise<Row> {
  const row = await readRow(writing, battle, person);
  if (!postgres) return row;
  // Two tabs of one person cannot both vote: what another one wrote is read again.
  await lockProject(writing, row.project_id, postgres);
  return readRow(writing, battle, person);
}

async function readRow(reading: Database | Writing, battle: string, person: string): Promise<Row> {
  const row = await reading
    .selectFrom('battles')
    .selectAll()
    .where('id', '=', battle)
    .executeTakeFirst();
  if (row === undefined || row.person_id !== (await knownPerson(reading, person)))
    throw new RangeError(`${person} has no battle ${battle}`);
  return row;
}

export const viewBattle = async (
  database: Database,
  battle: string,
  person: string,
): Promise<BattleView> => viewOf(await readRow(database, battle, person));

/** Characters of a leak that are stored: it is part of an index, whose entries are short. */
const MOST_LEAK = 200;

/** What the answers say of who wrote them; the other model's name tells as much. */
function leakOf(row: Row, turns: readonly BattleTurn[]): string | null {
  const asked = turns.map(({ prompt }) => prompt).join('\n');
  const models = [row.model_left, row.model_right];
  for (const { left, right } of turns) {
    const found = leakIn(left, models, asked) ?? leakIn(right, models, asked);
    if (found !== null) return found.slice(0, MOST_LEAK).toWellFormed();
  }
  return null;
}

const turnsIn = (text: string): BattleTurn[] => JSON.parse(text) as BattleTurn[];

const viewOf = (row: Row): BattleView => ({
  ...{ id: row.id, project: row.project_id, category: row.category, turns: turnsIn(row.turns) },
  ...{ vote: row.vote, at: row.created_at },
  models: row.vote === null ? null : { left: row.model_left, right: row.model_right },
});

/** Battles of a project, newest first, with the number of all that fit the filter. */
export async function listBattles(
  database: Database,
  project: string,
  { person, model, voted, leaked, limit = 50, offset = 0 }: BattleFilter,
): Promise<{ total: number; battles: StoredBattle[] }> {
  let query = database
    .selectFrom('battles')
    .innerJoin('people', 'people.id', 'battles.person_id')
    .where('project_id', '=', project);
  if (person !== undefined) query = query.where('people.name', '=', person);
  if (model !== undefined)
    query = query.where(({ eb, or }) =>
      or([eb('model_left', '=', model), eb('model_right', '=', model)]),
    );
  if (voted !== undefined) query = query.where('vote', voted ? 'is not' : 'is', null);
  if (leaked !== undefined) query = query.where('leak', leaked ? 'is not' : 'is', null);
  const { total } = await query
    .select(({ fn }) => fn.countAll().as('total'))
    .executeTakeFirstOrThrow();
  const rows = await query
    .selectAll('battles')
    .select('people.name')
    .orderBy('battles.id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute();
  return { total: Number(total), battles: rows.map(({ name, ...row }) => storedOf(row, name)) };
}

const storedOf = (row: Row, person: string): StoredBattle => ({
  ...{ ...viewOf(row), person, models: { left: row.model_left, right: row.model_right } },
  ...{ comment: row.comment, seconds: row.seconds, leak: row.leak, votedAt: row.voted_at },
  ...{ reason: row.reason, gain: row.gain },
});

/** Battles read at a time. */
const BATCH = 500;

/** Counts of a side's style, by name. */
export type SideStyles = Readonly<Record<'left' | 'right', Readonly<Record<string, number>>>>;

/** All battles with a vote, oldest first, with styles as far as they were counted. */
export async function* votedBattles(
  database: Database,
  project: string,
): AsyncIterable<StoredBattle & { styles: SideStyles | null }> {
  for (let after = ''; ; ) {
    const rows = await database
      .selectFrom('battles')
      .innerJoin('people', 'people.id', 'battles.person_id')
      .selectAll('battles')
      .select('people.name')
      .where('project_id', '=', project)
      .where('vote', 'is not', null)
      .where('battles.id', '>', after)
      .orderBy('battles.id')
      .limit(BATCH)
      .execute();
    if (rows.length === 0) return;
    after = rows.at(-1)!.id;
    for (const { name, ...row } of rows) {
      const styles = row.styles === null ? null : (JSON.parse(row.styles) as SideStyles);
      yield { ...storedOf(row, name), styles };
    }
  }
}

/** Keeps styles, so that they are counted once. */
export async function saveStyles(
  writing: Writing,
  styles: ReadonlyMap<string, SideStyles>,
): Promise<void> {
  for (const [id, one] of styles)
    await writing
      .updateTable('battles')
      .set({ styles: JSON.stringify(one) })
      .where('id', '=', id)
      .execute();
}

/** @throws RangeError for an unknown battle */
export async function sidesOf(database: Database, battle: string): Promise<StoredBattle['models']> {
  const row = await database
    .selectFrom('battles')
    .select(['model_left', 'model_right'])
    .where('id', '=', battle)
    .executeTakeFirst();
  if (row === undefined) throw new RangeError(`there is no battle ${battle}`);
  return { left: row.model_left, right: row.model_right };
}

/** Battles of two models that ended in the same way. */
export interface BattleCount {
  left: string;
  right: string;
  /** null: without a vote so far. */
  vote: BattleVote | null;
  count: number;
}

/** How often two models met, without battles that do not count. */
export async function battleCounts(
  database: Database,
  project: string,
  since: Date,
): Promise<BattleCount[]> {
  // All of it is in an index: the conversations, which are long, are not read.
  const rows = await database
    .selectFrom('battles')
    .select(['model_left', 'model_right', 'vote', ({ fn }) => fn.countAll().as('count')])
    .where('project_id', '=', project)
    .where('leak', 'is', null)
    .where(({ eb, or }) =>
      or([eb('vote', 'is not', null), eb('created_at', '>', since.toISOString())]),
    )
    .groupBy(['model_left', 'model_right', 'vote'])
    .execute();
  return rows.map(({ model_left: left, model_right: right, vote, count }) => ({
    ...{ left, right, vote, count: Number(count) },
  }));
}
