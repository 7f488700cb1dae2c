// People who can sign in: the owner by the key that the command prints, others by invitation.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { AdminAction } from '../names.ts';
import { noteAction } from '../store/action-log.ts';
import { newId } from '../store/ids.ts';
import type { PreferenceStore } from '../store/preference-store.ts';
import type { Tables } from '../store/schema.ts';
import { Attempts } from './attempts.ts';
import { openSessions, PASSWORD_LENGTH, type Sessions } from './sessions.ts';

export type Role = Tables['members']['role'];

/** Somebody who is signed in. */
export interface Person {
  id: string;
  name: string;
  role: Role;
}

export interface Member extends Person {
  disabled: boolean;
  /** Ids of the projects that an annotator works on; an admin sees all. */
  projects: readonly string[];
  /** Newest verdicts of the person in all projects. */
  verdicts: number;
  since: string;
}

export interface Invitation {
  id: string;
  name: string | null;
  role: Role;
  projects: readonly string[];
  expires: string;
}

export interface PeopleOptions {
  /** Whoever has the key is the owner. */
  key: string;
  /** Name of the owner as a person. */
  owner: string;
  /** Where the Studio is. */
  url: string;
}

/** Why somebody cannot sign in or join; `code` is for programs. */
export class PeopleError extends Error {
  readonly code: 'wrong' | 'too-many' | 'invitation' | 'name' | 'password' | 'last-admin';

  constructor(code: PeopleError['code'], message: string) {
    super(message);
    this.name = 'PeopleError';
    this.code = code;
  }
}

const DAY = 24 * 3600 * 1000;
/** Days that an invitation can be used. */
const INVITATION_DAYS = 14;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const keyOfCode = (code: string): string => digest(code).toString('hex');

export class People {
  readonly #store: PreferenceStore;
  readonly #sessions: Sessions;
  readonly #options: PeopleOptions;
  readonly #attempts = new Attempts();

  private constructor(store: PreferenceStore, sessions: Sessions, options: PeopleOptions) {
    this.#store = store;
    this.#sessions = sessions;
    this.#options = options;
  }

  static async open(store: PreferenceStore, options: PeopleOptions): Promise<People> {
    const { database, postgres } = store;
    const made = { name: 'sessions', value: randomBytes(32).toString('base64url') };
    await database
      .insertInto('secrets')
      .values(made)
      .onConflict((one) => one.column('name').doNothing())
      .execute();
    const { value: secret } = await database
      .selectFrom('secrets')
      .select('value')
      .where('name', '=', made.name)
      .executeTakeFirstOrThrow();
    const sessions = await openSessions({ database, postgres, secret, url: options.url });
    return new People(store, sessions, options);
  }

  /** Who sends these headers; null if nobody is signed in. */
  async current(headers: Headers): Promise<Person | null> {
    const session = await this.#sessions.api.getSession({ headers });
    if (session === null) return null;
    const found = await this.#members()
      .where('user_id', '=', session.user.id)
      .where('disabled', '=', 0)
      .executeTakeFirst();
    return found ?? null;
  }

  /**
   * Signs in the owner.
   * @returns the response whose cookies are to be sent
   * @throws PeopleError for a wrong key
   */
  async enter(key: string): Promise<Response> {
    if (!timingSafeEqual(digest(key), digest(this.#options.key)))
      throw new PeopleError('wrong', 'This key is not the one that `keel studio` printed');
    return this.#start(await this.#ownerUser());
  }

  /**
   * Signs in with a password.
   * @throws PeopleError for a wrong name or password, or after too many attempts
   */
  async signIn(name: string, password: string): Promise<Response> {
    const wait = this.#attempts.wait(name);
    if (wait > 0)
      throw new PeopleError('too-many', `Too many wrong passwords. Try again in ${wait} s`);
    const member = await this.#members()
      .where('people.name', '=', name)
      .where('disabled', '=', 0)
      .executeTakeFirst();
    // Counted before it is checked: many attempts at the same time are many.
    this.#attempts.made(name);
    // An unknown name takes as long as a wrong password.
    const email = emailOf(member?.id ?? newId());
    const response = await this.#sessions.api.signInEmail({
      body: { email, password },
      asResponse: true,
    });
    if (response.ok) {
      this.#attempts.forget(name);
      return response;
    }
    throw new PeopleError('wrong', 'The name or the password is wrong');
  }

  /** @returns the response whose cookies end the session */
  async signOut(headers: Headers): Promise<Response> {
    return this.#sessions.api.signOut({ headers, asResponse: true });
  }

  /** @throws PeopleError for a wrong current password, or a new one that is too short */
  async changePassword(headers: Headers, current: string, next: string): Promise<void> {
    this.#checkPassword(next);
    const response = await this.#sessions.api.changePassword({
      body: { currentPassword: current, newPassword: next, revokeOtherSessions: true },
      ...{ headers, asResponse: true as const },
    });
    if (!response.ok) throw new PeopleError('wrong', 'The current password is wrong');
  }

  /**
   * @param by the admin's name, for the log of actions; so in the methods below
   * @returns the invitation and its code, which is not kept
   */
  async invite(
    wanted: Pick<Invitation, 'name' | 'role' | 'projects'>,
    by: string | null,
  ): Promise<Invitation & { code: string }> {
    if (wanted.name !== null && (await this.#isMember(wanted.name)))
      throw new PeopleError('name', `${wanted.name} can already sign in`);
    const code = randomBytes(18).toString('base64url');
    const now = Date.now();
    const expires = new Date(now + INVITATION_DAYS * DAY).toISOString();
    const id = newId();
    await this.#store.database.transaction().execute(async (writing) => {
      await writing
        .insertInto('invitations')
        .values({
          ...{ id, key: keyOfCode(code), name: wanted.name, role: wanted.role },
          projects: JSON.stringify(wanted.projects),
          ...{ created_at: new Date(now).toISOString(), expires_at: expires, used_at: null },
        })
        .execute();
      await noteAction(writing, {
        ...{ person: by, action: 'person invited', project: null },
        details: { ...wanted, projects: await projectNames(writing, wanted.projects) },
      });
    });
    return { id, ...wanted, expires, code };
  }

  /** Invitations that can be used. */
  async invitations(): Promise<Invitation[]> {
    const rows = await this.#openInvitations().orderBy('id').execute();
    return rows.map(invitationOf);
  }

  async withdraw(id: string, by: string | null): Promise<void> {
    await this.#store.database.transaction().execute(async (writing) => {
      const found = await writing
        .selectFrom('invitations')
        .select(['name', 'role'])
        .where('id', '=', id)
        .executeTakeFirst();
      if (found === undefined) return;
      await writing.deleteFrom('invitations').where('id', '=', id).execute();
      await noteAction(writing, {
        ...{ person: by, action: 'invitation withdrawn', project: null, details: found },
      });
    });
  }

  /** @throws PeopleError for a code that is unknown, used or too old */
  async invitation(code: string): Promise<Invitation> {
    const row = await this.#openInvitations().where('key', '=', keyOfCode(code)).executeTakeFirst();
    if (row !== undefined) return invitationOf(row);
    throw new PeopleError(
      'invitation',
      'This invitation was used, withdrawn, or is too old. Ask for a new one',
    );
  }

  /**
   * Makes an invited person a member and signs them in.
   * @throws PeopleError for an invitation that cannot be used, a name that is taken, or a password
   *   that is too short
   */
  async join(code: string, name: string, password: string): Promise<Response> {
    const invited = await this.invitation(code);
    this.#checkPassword(password);
    const own = invited.name ?? name;
    const known = await this.#nameFor(this.#store.database, invited, own);
    const id = known ?? newId();
    const user = await this.#newUser(id, own, password);
    // The rest is there as a whole or not at all: a user without a member cannot sign in.
    await this.#store.database.transaction().execute(async (writing) => {
      // Two people who use one link at the same time: one of them is first.
      const { numUpdatedRows } = await writing
        .updateTable('invitations')
        .set({ used_at: new Date().toISOString() })
        .where('id', '=', invited.id)
        .where('used_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n)
        throw new PeopleError('invitation', 'This invitation was used in the meantime');
      const still = await this.#nameFor(writing, invited, own);
      if (still === null) {
        const made = { id, name: own, created_at: new Date().toISOString() };
        await writing.insertInto('people').values(made).execute();
      }
      await addMember(writing, { person: id, user, role: invited.role });
      await setProjects(writing, id, invited.projects);
      await noteAction(writing, {
        ...{ person: own, action: 'person joined', project: null, details: { role: invited.role } },
      });
    });
    return this.#start(user);
  }

  /** Everybody who can sign in, or could. */
  async members(): Promise<Member[]> {
    const { database } = this.#store;
    const rows = await this.#members()
      .select(['disabled', 'members.created_at'])
      .orderBy('people.name')
      .execute();
    const assigned = await database.selectFrom('project_members').selectAll().execute();
    const counts = await database
      .selectFrom('claims')
      .select(({ fn }) => ['person_id', fn.countAll<number>().as('count')])
      .where('state', '=', 'done')
      .groupBy('person_id')
      .execute();
    return rows.map(({ disabled, created_at, ...person }) => ({
      ...person,
      ...{ disabled: disabled === 1, since: created_at },
      projects: assigned
        .filter(({ person_id }) => person_id === person.id)
        .map(({ project_id }) => project_id),
      verdicts: Number(counts.find(({ person_id }) => person_id === person.id)?.count ?? 0),
    }));
  }

  /**
   * Changes what a member may do. A disabled member is signed out.
   * @throws PeopleError if nobody would be left who can change it back
   */
  async change(
    id: string,
    { role, disabled, projects }: Partial<Pick<Member, 'role' | 'disabled' | 'projects'>>,
    by: string | null,
  ): Promise<void> {
    const user = await this.#store.database.transaction().execute(async (writing) => {
      const member = await writing
        .selectFrom('members')
        .innerJoin('people', 'people.id', 'members.person_id')
        .selectAll('members')
        .select('people.name')
        .where('person_id', '=', id)
        .executeTakeFirst();
      if (member === undefined) throw new PeopleError('name', 'There is no such person');
      const losing = member.role === 'admin' && (role === 'annotator' || disabled === true);
      if (losing && member.user_id === (await knownOwner(writing)))
        throw new PeopleError('last-admin', 'The owner stays an admin: the key would give it back');
      if (role !== undefined || disabled !== undefined) {
        await writing
          .updateTable('members')
          .set({
            ...(role !== undefined && { role }),
            ...(disabled !== undefined && { disabled: Number(disabled) }),
          })
          .where('person_id', '=', id)
          .execute();
      }
      const note = (action: AdminAction, details: object): Promise<void> =>
        noteAction(writing, {
          ...{ person: by, action, project: null, details: { name: member.name, ...details } },
        });
      if (role !== undefined && role !== member.role)
        await note('role changed', { from: member.role, to: role });
      if (disabled !== undefined && Number(disabled) !== member.disabled)
        await note(disabled ? 'person removed' : 'person restored', {});
      if (projects !== undefined) {
        await setProjects(writing, id, projects);
        await note('projects changed', { projects: await projectNames(writing, projects) });
      }
      return member.user_id;
    });
    if (disabled === true) {
      const { internalAdapter } = await this.#sessions.$context;
      await internalAdapter.deleteUserSessions(user);
    }
  }

  /** Ids of the projects that a person works on; null: all. */
  async projectsOf(person: Person): Promise<Set<string> | null> {
    if (person.role === 'admin') return null;
    const rows = await this.#store.database
      .selectFrom('project_members')
      .select('project_id')
      .where('person_id', '=', person.id)
      .execute();
    return new Set(rows.map(({ project_id }) => project_id));
  }

  /** Whether a person may see a project. */
  async maySee(person: Person, project: string): Promise<boolean> {
    const own = await this.projectsOf(person);
    return own === null || own.has(project);
  }

  #members() {
    return this.#store.database
      .selectFrom('members')
      .innerJoin('people', 'people.id', 'members.person_id')
      .select(['people.id', 'people.name', 'members.role']);
  }

  #openInvitations() {
    return this.#store.database
      .selectFrom('invitations')
      .selectAll()
      .where('used_at', 'is', null)
      .where('expires_at', '>', new Date().toISOString());
  }

  async #isMember(name: string): Promise<boolean> {
    const found = await this.#members().where('people.name', '=', name).executeTakeFirst();
    return found !== undefined;
  }

  /**
   * The id of the person whose verdicts were imported, where the invitation is for that name; null
   * for a new name. @throws PeopleError for one that is taken
   */
  async #nameFor(reading: Reading, invited: Invitation, name: string): Promise<string | null> {
    const known = await personNamed(reading, name);
    if (known !== null && (known.member || invited.name === null))
      throw new PeopleError('name', `There is already a person named ${name}. Choose another name`);
    return known?.id ?? null;
  }

  async #newUser(person: string, name: string, password: string): Promise<string> {
    const { password: hashing, internalAdapter } = await this.#sessions.$context;
    const email = emailOf(person);
    // What is left of an attempt that did not end.
    const left = await internalAdapter.findUserByEmail(email);
    if (left !== null) await internalAdapter.deleteUser(left.user.id);
    const user = await internalAdapter.createUser(
      { email, name, emailVerified: true },
      { method: 'admin' },
    );
    await internalAdapter.linkAccount({
      ...{ userId: user.id, providerId: 'credential', accountId: user.id },
      password: await hashing.hash(password),
    });
    return user.id;
  }

  #checkPassword(password: string): void {
    const { least, most } = PASSWORD_LENGTH;
    if (password.length < least || password.length > most)
      throw new PeopleError('password', `A password has ${least} to ${most} characters`);
  }

  async #start(userId: string): Promise<Response> {
    return this.#sessions.api.startSession({ body: { userId }, asResponse: true });
  }

  /** The owner's user, who is made at the first start, and keeps its name. */
  async #ownerUser(): Promise<string> {
    const known = await knownOwner(this.#store.database);
    if (known !== null) return known;
    const { internalAdapter } = await this.#sessions.$context;
    const { database } = this.#store;
    const found = await personNamed(database, this.#options.owner);
    const id = found?.id ?? newId();
    const name = this.#options.owner;
    const user = await internalAdapter.createUser(
      { email: emailOf(id), name, emailVerified: true },
      { method: 'admin' },
    );
    await database.transaction().execute(async (writing) => {
      const created_at = new Date().toISOString();
      if (found === null)
        await writing.insertInto('people').values({ id, name, created_at }).execute();
      await addMember(writing, { person: id, user: user.id, role: 'admin' });
      await writing.insertInto('secrets').values({ name: 'owner', value: user.id }).execute();
    });
    return user.id;
  }
}

/** The library knows people by an address; nothing is ever sent to it. */
const emailOf = (person: string): string => `${person}@people.invalid`;

type Reading = PreferenceStore['database'];

/** The owner's user; null before the first start. */
async function knownOwner(reading: Reading): Promise<string | null> {
  const row = await reading
    .selectFrom('secrets')
    .select('value')
    .where('name', '=', 'owner')
    .executeTakeFirst();
  return row?.value ?? null;
}

async function personNamed(
  reading: Reading,
  name: string,
): Promise<{ id: string; member: boolean } | null> {
  const row = await reading
    .selectFrom('people')
    .leftJoin('members', 'members.person_id', 'people.id')
    .select(['people.id', 'members.user_id'])
    .where('people.name', '=', name)
    .executeTakeFirst();
  return row === undefined ? null : { id: row.id, member: row.user_id !== null };
}

const addMember = (
  writing: Transaction<Tables>,
  { person, user, role }: { person: string; user: string; role: Role },
): Promise<unknown> =>
  writing
    .insertInto('members')
    .values({
      ...{ person_id: person, user_id: user, role, disabled: 0 },
      created_at: new Date().toISOString(),
    })
    .execute();

async function setProjects(
  writing: Transaction<Tables>,
  person_id: string,
  projects: readonly string[],
): Promise<void> {
  await writing.deleteFrom('project_members').where('person_id', '=', person_id).execute();
  const rows = [...new Set(projects)].map((project_id) => ({ project_id, person_id }));
  if (rows.length > 0) await writing.insertInto('project_members').values(rows).execute();
}

/** Names of projects, as they are now. */
async function projectNames(reading: Reading, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await reading
    .selectFrom('projects')
    .select('name')
    .where('id', 'in', [...ids])
    .orderBy('name')
    .execute();
  return rows.map(({ name }) => name);
}

const invitationOf = (row: Tables['invitations']): Invitation => ({
  ...{ id: row.id, name: row.name, role: row.role, expires: row.expires_at },
  projects: JSON.parse(row.projects) as string[],
});
