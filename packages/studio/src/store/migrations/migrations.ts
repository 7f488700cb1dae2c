// The steps from an empty database to the current tables. A published step is never edited: a
// change of the tables is a new step.
import type { MigrationProvider } from 'kysely/migration';
import { tables } from './001-tables.ts';
import { annotating } from './002-annotating.ts';
import { members } from './003-members.ts';
import { faster } from './004-faster.ts';
import { battles } from './005-battles.ts';

export const migrations: MigrationProvider = {
  getMigrations: async () => ({
    '001-tables': tables,
    '002-annotating': annotating,
    '003-members': members,
    '004-faster': faster,
    '005-battles': battles,
  }),
};
