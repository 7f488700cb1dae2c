import { counted } from '@keel/align/checking';
import { ConfigError } from '@keel/align/config';
import type { PreferenceStore } from '@keel/studio';
import { type Invitation, People, PeopleError } from '@keel/studio/server';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import { showTable } from '../collecting/show-table.ts';
import type { DataPeopleOptions } from '../options/data-people.ts';
import { say, sayJson } from '../terminal.ts';

export async function run(options: DataPeopleOptions): Promise<number> {
  const { withdraw, url, json } = options;
  await using store = await openStore(options.database);
  // Nobody signs in here, so there is no key and no owner.
  const people = await People.open(store, { key: '', owner: '', url });
  if (withdraw !== null) await withdrawn(people, withdraw);
  const link = await invited(store, people, options);
  const members = await people.members();
  const invitations = await people.invitations();
  if (json) {
    sayJson({ members, invitations, link });
    return 0;
  }
  const overview = await store.overview();
  const names = new Map(overview.map(({ id, name }) => [id, name]));
  const projectsOf = ({ role, projects }: Pick<Invitation, 'role' | 'projects'>): string =>
    role === 'admin'
      ? 'all'
      : projects.map((id) => names.get(id) ?? 'a deleted project').join(', ') || 'none';
  if (members.length > 0)
    showTable(
      [
        ['person', 'role', 'projects', 'since', 'verdicts'],
        ...members.map(({ name, role, disabled, since, verdicts, ...member }) => [
          ...[name, disabled ? `${role}, removed` : role, projectsOf({ role, ...member })],
          ...[since.slice(0, 10), String(verdicts)],
        ]),
      ],
      4,
    );
  if (invitations.length > 0)
    showTable(
      [
        ['invited', 'role', 'projects', 'until', 'id'],
        ...invitations.map((one) => [
          ...[one.name ?? 'anybody', one.role, projectsOf(one), one.expires.slice(0, 10), one.id],
        ]),
      ],
      5,
    );
  say(
    `${members.length === 1 ? '1 person' : `${members.length} people`} and ${counted(invitations.length, 'invitation')} in ${store.name}`,
  );
  if (link !== null) {
    say(`The link for ${options.invite}, shown only this once: ${link}`);
    say('It works once, for 14 days, while the Studio runs at that address on this store');
  }
  return 0;
}

/** @returns the link; null if nobody is invited */
async function invited(
  store: PreferenceStore,
  people: People,
  { invite, role = 'annotator', projects = [], url }: DataPeopleOptions,
): Promise<string | null> {
  if (invite === null) return null;
  const ids = await Promise.all(projects.map((name) => store.project(name)));
  try {
    const { code } = await people.invite({ name: invite, role, projects: ids }, machineUser());
    return `${url}/join/${code}`;
  } catch (error) {
    if (error instanceof PeopleError) throw new ConfigError([`--invite: ${error.message}`]);
    throw error;
  }
}

/** @throws ConfigError if no open invitation, or more than one, has this name or id */
async function withdrawn(people: People, wanted: string): Promise<void> {
  const open = await people.invitations();
  const found = open.filter(({ id, name }) => id === wanted || name === wanted);
  if (found.length === 1) return people.withdraw(found[0]!.id, machineUser());
  const why =
    found.length > 1
      ? `${wanted} has ${found.length} open invitations. Name one by its id: ${found.map(({ id }) => id).join(', ')}`
      : `${wanted} has no open invitation. Open ones: ${open.map(({ id, name }) => name ?? id).join(', ') || 'none'}`;
  throw new ConfigError([`--withdraw: ${why}`]);
}
