// Serves the base and the trained adapter behind the OpenAI API.
import { openModel } from '@keel/align';
import { startServer } from '@keel/serve';

/** Answers requests until the signal is aborted; those in flight are completed. */
export async function serve(
  model: string,
  adapter: string,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  using opened = await openModel(model);
  await using server = await startServer(opened.model, { port, adapters: { trained: adapter } });
  console.log(`serving ${server.adapters.all.map(({ name }) => name).join(', ')} at ${server.url}`);
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
