// Empty databases for tests of the store: the same tests run on both kinds.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { startPostgres, type TestServer } from './postgres.ts';

let made: string;
let server: TestServer | undefined;

beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), 'keel-store-'));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(made, { recursive: true, force: true });
});

/** A temporary folder of the test file. */
export const folder = (): string => made;

let files = 0;

/** Each kind of database, with what makes a new one: a file's path, or a URL. */
export const databases = [
  ['node:sqlite', async () => join(made, `${++files}.sqlite`)],
  ['PostgreSQL', () => server!.newDatabase()],
] as const;
