// Which database the store is in, and its tables brought up to date.
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Database } from './database.ts';
import { migrations } from './migrations/migrations.ts';
import type { Tables } from './schema.ts';
import { openSqlite } from './sqlite-database.ts';
import { countUncounted } from './task-counts.ts';

/** Whether a name is a PostgreSQL URL: otherwise it is a SQLite file. */
const isPostgres = (name: string): boolean => /^postgres(ql)?:\/\//i.test(name);

/** The database without its password, for messages. */
export const shownDatabase = (name: string): string =>
  isPostgres(name) ? name.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, '$1:***@') : name;

export interface OpenDatabase {
  database: Database;
  postgres: boolean;
}

/**
 * Opens a SQLite file, or a PostgreSQL database by its URL, and updates its tables.
 * @throws Error for a database that cannot be opened, or that a newer Keel wrote
 */
export async function openDatabase(name: string): Promise<OpenDatabase> {
  const postgres = isPostgres(name);
  const database: Database = new Kysely<Tables>({
    dialect: postgres
      ? new PostgresDialect({ pool: await poolOf(name) })
      : new SqliteDialect({ database: openSqlite(name) }),
  });
  const migrator = new Migrator({ db: database, provider: migrations });
  let { error } = await migrator.migrateToLatest();
  // Another process may take the same steps at the same time, and note one first. PostgreSQL has a
  // lock for that. In SQLite, it may happen at each step.
  const attempts = postgres ? 1 : Object.keys(await migrations.getMigrations()).length;
  for (let again = 0; error !== undefined && again < attempts; again++) {
    ({ error } = await migrator.migrateToLatest());
  }
  if (error === undefined) {
    await countUncounted(database);
    return { database, postgres };
  }
  await database.destroy();
  const newer = error instanceof Error && /corrupted migrations/.test(error.message);
  throw new Error(
    newer
      ? `${shownDatabase(name)} was written by another version of Keel. Update Keel, or name another database`
      : `${shownDatabase(name)} cannot be used as a preference store. Check that the server runs and that the user may create tables`,
    { cause: error },
  );
}

/** The driver is loaded only where it is needed. */
async function poolOf(url: string) {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ connectionString: url });
  // A connection that is lost while it is idle is replaced: without a listener it ends the process.
  pool.on('error', () => {});
  return pool;
}
