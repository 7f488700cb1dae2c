// Starts the Studio: the store, the people, the routes and the listening socket.
import { randomBytes } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { createAdaptorServer } from '@hono/node-server';
import { isLoopback } from '@keel/serve/access';
import { addExample } from '../importing/example-project.ts';
import { ModelServers } from '../models/model-servers.ts';
import { People } from '../people/people.ts';
import { Rounds } from '../rounds/rounds.ts';
import { PreferenceStore } from '../store/preference-store.ts';
import { WatchedFolder } from '../watching/watched-folder.ts';
import { createApp } from './app.ts';
import { builtPages } from './built-pages.ts';

export interface StudioOptions {
  /** A SQLite file, or a postgres:// URL. */
  database: string;
  /** Address to listen on (default: 127.0.0.1). */
  host?: string;
  /** 0: any free port (default: 4680). */
  port?: number;
  /** Address that people use, where a proxy is in front (default: the one listened on). */
  url?: string | null;
  /** Whoever has the key is the owner (default: a new one at each start). */
  key?: string | null;
  /** Name of the owner as a person (default: the name of this machine's user). */
  owner?: string | null;
  /** Addresses of servers whose models answer, such as those of `keel serve` (default: none). */
  models?: readonly string[];
  /** Key that is sent to them (default: none). */
  modelsKey?: string | null;
  /** Whether a store without projects gets the example (default: false). */
  example?: boolean;
  /** Folder of training runs, which need not exist yet (default: runs). */
  runs?: string;
  /** The words that run Keel's command line (default: none, and runs cannot be resumed). */
  keel?: readonly string[];
  /** Largest upload, in bytes (default: 64 MB). */
  uploadBytes?: number;
  /** Receives what happens beside the requests (default: stderr). */
  log?(text: string): void;
}

/** A Studio that listens. */
export interface Studio extends AsyncDisposable {
  readonly url: string;
  /** The link that signs the owner in. */
  readonly link: string;
  readonly store: PreferenceStore;
  /** Accepts no more requests, and resolves when those in flight are answered. */
  close(): Promise<void>;
}

/** Fewer characters of a key could be guessed over a network. */
const KEY_LENGTH = 16;

/** Milliseconds between two looks for rounds that have finished. */
const COLLECTING = 10_000;

/**
 * @throws Error if the address is taken or needs a key, or the store cannot be opened
 */
export async function startStudio(options: StudioOptions): Promise<Studio> {
  const { host = '127.0.0.1', port = 4680, uploadBytes = 64e6, owner = null } = options;
  const { log = (text: string) => void process.stderr.write(`${text}\n`) } = options;
  const local = isLoopback(host);
  if (!local && (options.key ?? '').length < KEY_LENGTH) {
    throw new Error(
      `${host} can be reached from other machines, which needs a key of at least ${KEY_LENGTH} characters. Set the environment variable KEEL_STUDIO_KEY, or listen on 127.0.0.1`,
    );
  }
  const key = options.key ?? randomBytes(18).toString('base64url');
  const folder = await builtPages(log);
  const store = await PreferenceStore.open(options.database);
  let app: ReturnType<typeof createApp> | null = null;
  const inFlight = new Set<Promise<Response>>();
  const server = createAdaptorServer({
    fetch: (request, environment) => {
      if (app === null) return new Response('Starting', { status: 503 });
      const answer = Promise.resolve(app.fetch(request, environment));
      inFlight.add(answer);
      void answer.finally(() => inFlight.delete(answer)).catch(() => {});
      return answer;
    },
  }) as HttpServer;
  try {
    if (options.example) await addExample(store);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const shown = host.includes(':') ? `[${host}]` : host;
    const { port: bound } = server.address() as AddressInfo;
    const url = (options.url ?? `http://${shown}:${bound}`).replace(/\/$/, '');
    const people = await People.open(store, { key, url, owner: owner ?? userInfo().username });
    const failure = (error: unknown): void =>
      log(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    const { keel } = options;
    const runs = new WatchedFolder(options.runs ?? 'runs', keel === undefined ? {} : { keel });
    const rounds = new Rounds({ store, runs: runs.path, keel: keel ?? null });
    const models = new ModelServers(options.models ?? [], options.modelsKey ?? null);
    app = createApp(
      { store, people, rounds, models, runs, url, uploadBytes, log: failure },
      { folder, local },
    );
    // New answers become tasks also while nobody looks.
    const collecting = setInterval(() => void rounds.collectAll().catch(failure), COLLECTING);
    let closing: Promise<void> | null = null;
    const close = async (): Promise<void> => {
      closing ??= (async () => {
        clearInterval(collecting);
        const ended = new Promise<void>((resolve) => server.close(() => resolve()));
        await Promise.allSettled(inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        // Streams of live pages would never end by themselves.
        server.closeAllConnections();
        await ended;
        await store[Symbol.asyncDispose]();
      })();
      await closing;
    };
    const link = `${url}/enter?key=${encodeURIComponent(key)}`;
    return { url, link, store, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    server.close();
    await store[Symbol.asyncDispose]();
    throw error;
  }
}
