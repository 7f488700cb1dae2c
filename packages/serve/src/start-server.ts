// Starts the server: engine, adapters, routes and the listening socket.
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { LanguageModel, Tokenizer } from '@keel/model';
import { isLoopback } from './access.ts';
import { createApp } from './app.ts';
import { Adapters } from './engine/adapters.ts';
import { Engine, type EngineLimits } from './engine/engine.ts';
import { ServerMetrics } from './metrics/server-metrics.ts';
import { TokenTexts } from './protocol/token-text.ts';

export interface ServerOptions extends Partial<EngineLimits> {
  /** Address to listen on (default: 127.0.0.1). */
  host?: string;
  /** 0: any free port (default: 8000). */
  port?: number;
  /** Name of the base for requests (default: the model's). */
  name?: string;
  /** Adapters to load, by name: folders in PEFT's format. */
  adapters?: Readonly<Record<string, string>>;
  /** Requests need this key (default: none; only allowed on this machine's own addresses). */
  key?: string | null;
  /** Largest number of tokens of prompt and answer (default: the model's positions). */
  context?: number | null;
  /** Largest body of a request, in bytes (default: 4 MiB). */
  bodyBytes?: number;
  /** Clients may load and unload adapters from this machine's folders (default: false). */
  adapterLoading?: boolean;
  /** Clients may do so from below this folder only, which relative paths start at. */
  runtimeAdapters?: string | null;
  /** Origins of pages on other addresses that may use the server (default: none). */
  origins?: readonly string[];
  /** The tokenizer for an adapter with its own chat template (default: the model's). */
  tokenizerFor?(folder: string): Promise<Tokenizer | null>;
  /** Receives what happens beside the requests (default: stderr). */
  log?(text: string): void;
}

/**
 * Milliseconds after which an idle connection is closed. It is longer than any client keeps one:
 * otherwise, after a long step, a connection could be closed while the next request arrives on it.
 */
const IDLE_CONNECTION = 120_000;

/** A server that listens. */
export interface Server extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly adapters: Adapters;
  readonly engine: Engine;
  /**
   * Accepts no more requests, and resolves when those in flight are answered.
   * @param signal ends them at once
   */
  close(signal?: AbortSignal): Promise<void>;
}

/**
 * Serves a model behind the OpenAI API. The caller keeps the model, and disposes of it after the
 * server is closed.
 * @throws Error if the address is taken, needs a key, or an adapter cannot be loaded
 */
export async function startServer(
  model: LanguageModel,
  options: ServerOptions = {},
): Promise<Server> {
  const { host = '127.0.0.1', port = 8000, key = null, adapters: folders = {} } = options;
  const { log = (text) => void process.stderr.write(`${text}\n`) } = options;
  const { context = null, bodyBytes = 4 * 2 ** 20, origins = [] } = options;
  const { runtimeAdapters = null } = options;
  if (!isLoopback(host) && key === null) {
    throw new Error(
      `${host} can be reached from other machines, which needs an API key. Set the environment variable KEEL_API_KEY, or listen on 127.0.0.1`,
    );
  }
  const { maxPositions } = model.decoder.config;
  if (context !== null && context > maxPositions) {
    throw new RangeError(`context is ${context} tokens, but the model supports ${maxPositions}`);
  }
  const failure = (error: unknown): void =>
    log(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const metrics = new ServerMetrics(failure);
  const { batchSize = 32, queueSize = 256, prefillTokens = 512, retainedTokens = 8192 } = options;
  const limits = { batchSize, queueSize, prefillTokens, retainedTokens };
  const engine = new Engine(model, limits, metrics);
  const adapters = new Adapters({
    ...{ engine, name: options.name ?? model.name, notice: (text) => log(`note: ${text}`) },
    ...(options.tokenizerFor && { tokenizerFor: options.tokenizerFor }),
  });
  const app = createApp(
    {
      ...{ engine, adapters, metrics, texts: new TokenTexts(model.tokenizer) },
      context: context ?? maxPositions,
      fingerprint: `keel-${(await model.hash()).slice(0, 12)}`,
      adapterLoading: (options.adapterLoading ?? false) || runtimeAdapters !== null,
      adapterFolder: runtimeAdapters,
    },
    { bodyBytes, key, origins, localOnly: isLoopback(host), log: failure },
  );
  const server = createAdaptorServer({ fetch: app.fetch }) as HttpServer;
  server.keepAliveTimeout = IDLE_CONNECTION;
  try {
    for (const [name, folder] of Object.entries(folders)) await adapters.load(name, folder);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    await engine.close();
    adapters.dispose();
    throw error;
  }
  const { port: bound } = server.address() as AddressInfo;
  let closing: Promise<void> | null = null;
  const close = async (signal?: AbortSignal): Promise<void> => {
    closing ??= (async () => {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      // Connections whose last answer is sent from now on do not wait for another request.
      server.keepAliveTimeout = 1;
      await engine.close(signal);
      adapters.dispose();
      server.closeIdleConnections();
      await ended;
    })();
    await closing;
  };
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    ...{ url: `http://${shown}:${bound}`, port: bound, adapters, engine, close },
    [Symbol.asyncDispose]: () => close(AbortSignal.abort()),
  };
}
