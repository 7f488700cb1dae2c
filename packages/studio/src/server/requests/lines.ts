// Answers that come in parts: a line of JSON for each, and a last one that says how it ended. A
// stream without it broke off.
import type { Context } from 'hono';
import { stream } from 'hono/streaming';
import { asStudioError, errorBody } from './errors.ts';

/**
 * @param parts sends what it yields; the signal says that nobody listens any more
 * @param log receives what nobody expected
 */
export function lines(
  context: Context,
  parts: (signal: AbortSignal) => AsyncIterable<object>,
  log: (error: unknown) => void,
): Response {
  context.header('Content-Type', 'application/x-ndjson');
  // A proxy would otherwise hold the parts back.
  context.header('X-Accel-Buffering', 'no');
  return stream(context, async (out) => {
    const gone = new AbortController();
    out.onAbort(() => gone.abort());
    try {
      for await (const part of parts(gone.signal)) {
        if (gone.signal.aborted) return;
        await out.writeln(JSON.stringify(part));
      }
      await out.writeln(JSON.stringify({ end: true }));
    } catch (error) {
      if (gone.signal.aborted) return;
      const known = asStudioError(error);
      if (known.status === 500) log(error);
      await out.writeln(JSON.stringify(errorBody(known)));
    }
  });
}
