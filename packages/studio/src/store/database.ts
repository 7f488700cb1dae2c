import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './schema.ts';

export type Database = Kysely<Tables>;

/** The database in a transaction. */
export type Writing = Transaction<Tables>;
