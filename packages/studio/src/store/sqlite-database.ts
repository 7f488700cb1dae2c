// node:sqlite as the database of Kysely's SQLite dialect.
import { createRequire } from 'node:module';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** How long a write waits for another process's, in milliseconds. */
const BUSY_TIMEOUT = 30_000;

/**
 * Opens or creates a SQLite file.
 * @throws Error where this Node has no SQLite, and for a file that is no database
 */
export function openSqlite(path: string): SqliteDatabase {
  const database = newDatabase(path);
  try {
    // Readers do not wait for writers; a commit is on the disk before it returns.
    database.exec('pragma journal_mode = wal; pragma synchronous = full');
    database.exec(`pragma foreign_keys = on; pragma busy_timeout = ${BUSY_TIMEOUT}`);
  } catch (error) {
    database.close();
    throw new Error(`${path} is not a SQLite database. Name another file`, { cause: error });
  }
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const known = statements.get(sql);
      if (known !== undefined) return known;
      const made = statementOf(database, sql);
      // Bulk inserts have a statement for each number of rows: those are not worth keeping.
      if (sql.length < 2000) statements.set(sql, made);
      return made;
    },
  };
}

function newDatabase(path: string): DatabaseSync {
  const require = createRequire(import.meta.url);
  let Database: typeof DatabaseSync;
  try {
    Database = (require('node:sqlite') as typeof import('node:sqlite')).DatabaseSync;
  } catch (error) {
    throw new Error(
      `Node ${process.versions.node} has no SQLite. Use Node 22.13 or newer, or name a PostgreSQL database in KEEL_DATABASE`,
      { cause: error },
    );
  }
  try {
    return new Database(path, { timeout: BUSY_TIMEOUT });
  } catch (error) {
    throw new Error(`${path} cannot be opened. Check that its folder exists and can be written`, {
      cause: error,
    });
  }
}

function statementOf(database: DatabaseSync, sql: string): SqliteStatement {
  // A transaction that reads before it writes would otherwise fail if another wrote in between.
  const statement: StatementSync = database.prepare(sql === 'begin' ? 'begin immediate' : sql);
  const reader = statement.columns().length > 0;
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
  return {
    reader,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  };
}
