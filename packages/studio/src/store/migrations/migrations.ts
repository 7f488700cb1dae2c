// The steps from an empty database to the current tables. A published step is never edited: a
// change of the tables is a new step.
import type { MigrationProvider } from 'kysely/migration';
import { tables } from './001-tables.ts';
import { annotating } from './002-annotating.ts';
import { members } from './003-members.ts';
import { newest } from './004-newest.ts';
import { rounds } from './005-rounds.ts';
import { claims } from './006-claims.ts';
import { battles } from './007-battles.ts';
import { byPrompt } from './008-prompts.ts';
import { asking } from './009-asking.ts';
import { shownSuggestions } from './010-shown-suggestions.ts';

export const migrations: MigrationProvider = {
  getMigrations: async () => ({
    '001-tables': tables,
    '002-annotating': annotating,
    '003-members': members,
    '004-newest': newest,
    '005-rounds': rounds,
    '006-claims': claims,
    '007-battles': battles,
    '008-prompts': byPrompt,
    '009-asking': asking,
    '010-shown-suggestions': shownSuggestions,
  }),
};
