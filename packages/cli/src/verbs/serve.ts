import { runResult, templateSettings } from '@keel/align/config';
import type { Tokenizer } from '@keel/model';
import { loadTokenizer } from '@keel/model/without-torch';
import { startServer } from '@keel/serve';
import { openModel } from '../open-model.ts';
import { namedAdapter, type ServeOptions } from '../options/serve.ts';
import { complain, say, sayJson } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';

export async function run(options: ServeOptions): Promise<number> {
  const { model } = await openModel({ ...options, adapter: null });
  using owned = new DisposableStack();
  owned.defer(() => model.dispose());
  const named = (options.adapter ?? []).map(namedAdapter);
  using stop = new StopSignals((name) => {
    complain(`${name}: answering the requests in flight. Press Ctrl-C again to quit now.`);
  });

  /** An adapter answers with the chat template that it was trained with. */
  async function tokenizerFor(folder: string): Promise<Tokenizer | null> {
    const template = templateSettings(options, folder);
    const own = template.source;
    const { chatTemplate } = model.tokenizer;
    if (own === undefined || own === chatTemplate?.sources.default) return null;
    return loadTokenizer(options.model, { template });
  }

  const server = await startServer(model, {
    ...{ host: options.host, port: options.port, key: process.env.KEEL_API_KEY || null },
    ...(options.servedModelName !== null && { name: options.servedModelName }),
    adapters: Object.fromEntries(named.map(({ name, folder }) => [name, runResult(folder)])),
    ...{ context: options.maxContext, bodyBytes: Math.floor(options.maxBody * 1e6) },
    ...{ batchSize: options.batchSize, queueSize: options.queue },
    ...{ prefillTokens: options.prefillTokens, retainedTokens: options.prefixCache },
    ...{ adapterLoading: options.adapterLoading, runtimeAdapters: options.runtimeAdapters },
    origins: options.allowOrigin ?? [],
    ...{ tokenizerFor, log: complain },
  });
  const models = server.adapters.all.map(({ name }) => name);
  if (options.json) sayJson({ type: 'listening', url: server.url, models });
  else {
    say(`Serving ${models.join(', ')} at ${server.url}/v1`);
    say(`To chat in the browser, open ${server.url}. Press Ctrl-C to stop.`);
  }
  if (!stop.signal.aborted) {
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  }
  await server.close();
  return stop.exitCode;
}
