// The routes of the server.
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { demandKey, demandLocal } from './access.ts';
import { ApiError } from './api-error.ts';
import type { ServerContext } from './context.ts';
import { apiError } from './routes/answering.ts';
import { chat } from './routes/chat.ts';
import { completions } from './routes/completions.ts';
import { listModels, loadAdapter, oneModel, unloadAdapter } from './routes/models.ts';
import { page } from './routes/page.ts';
import { detokenize, tokenize } from './routes/tokens.ts';

export interface AppOptions {
  /** Largest body of a request, in bytes. */
  bodyBytes: number;
  /** Requests need this key; null: none. */
  key: string | null;
  /** Only requests that name this machine as their host are served. */
  localOnly: boolean;
  /** Origins of pages that may use the server. */
  origins: readonly string[];
  /** Receives errors that are not a client's fault. */
  log(error: unknown): void;
}

export function createApp(server: ServerContext, options: AppOptions): Hono {
  const { bodyBytes, key, localOnly, origins, log } = options;
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    server.metrics.http(context.req.routePath, context.res.status);
  });
  if (origins.length > 0) app.use(cors({ origin: [...origins] }));
  if (localOnly) app.use(demandLocal(origins));
  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.get('/', page('index.html'));
  app.get('/page/:file', (context) => page(context.req.param('file'))(context));
  if (key !== null) app.use(demandKey(key));
  app.use(
    bodyLimit({
      maxSize: bodyBytes,
      onError: () => {
        throw new ApiError(413, `The body is larger than ${bodyBytes} bytes`);
      },
    }),
  );
  app.get('/metrics', (context) =>
    context.text(server.metrics.text(server.engine.counts), 200, {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
    }),
  );
  app.get('/v1/models', listModels(server));
  app.get('/v1/models/:model{.+}', oneModel(server));
  app.post('/v1/chat/completions', chat(server));
  app.post('/v1/completions', completions(server));
  app.post('/v1/embeddings', () => {
    throw new ApiError(
      400,
      'Models that generate text have no embeddings. Use a model that was trained for them',
    );
  });
  app.post('/v1/load_lora_adapter', loadAdapter(server));
  app.post('/v1/unload_lora_adapter', unloadAdapter(server));
  app.post('/tokenize', tokenize(server));
  app.post('/detokenize', detokenize(server));
  app.notFound((context) =>
    failed(
      context,
      new ApiError(404, `There is no ${context.req.method} ${context.req.path} on this server`),
    ),
  );
  app.onError((error, context) => {
    const known = apiError(error);
    if (known.status === 500) log(error);
    return failed(context, known);
  });
  return app;
}

function failed(context: Context, error: ApiError): Response {
  const { body, status, retryAfter } = error;
  const headers: Record<string, string> = {};
  if (retryAfter !== null) headers['Retry-After'] = String(retryAfter);
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  return context.json(body, status, headers);
}
