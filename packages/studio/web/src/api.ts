// The client of the Studio's routes: their types are those of the server.
import { QueryClient } from '@tanstack/react-query';
import { type ClientResponse, hc } from 'hono/client';
import type { StudioApi } from '../../src/server/app.ts';

export const api = hc<StudioApi>('/api', {
  fetch: (input: RequestInfo | URL, options?: RequestInit) =>
    fetch(input, options).catch(() => {
      throw new ApiFailure(0, 'offline', 'The Studio does not answer. Is it still running?');
    }),
});

/** What went wrong, in words for the person. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    fields: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'ApiFailure';
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

/** What a route answers. @throws ApiFailure where the server says no, or does not answer */
export async function answerOf<Body>(
  request: Promise<ClientResponse<Body, number, 'json'>>,
): Promise<Body> {
  const response = await request;
  await refuse(response);
  return (await response.json()) as Body;
}

interface SaidError {
  code: string;
  message: string;
  fields: Record<string, string>;
}

/** @throws ApiFailure for a response that is an error */
export async function refuse(response: { ok: boolean; status: number; text(): Promise<string> }) {
  if (response.ok) return;
  const text = await response.text();
  let said: { error?: SaidError } = {};
  try {
    said = JSON.parse(text);
  } catch {
    // Something in between answered, such as a proxy.
  }
  const { code = 'failed', message = `The Studio answered ${response.status}` } = said.error ?? {};
  if (code === 'signed-out') queries.setQueryData(signedOut, true);
  throw new ApiFailure(response.status, code, message, said.error?.fields);
}

/** Whether the session ended while a page was open. */
export const signedOut = ['signed-out'];

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal stays one; a server that restarts comes back.
      retry: (count, error) => error instanceof ApiFailure && error.status === 0 && count < 3,
    },
  },
});

/**
 * Sends JSON, and reads the answer line by line as it comes.
 * @param path below `/api`
 * @throws ApiFailure where the server says no, before or in the middle, does not answer, or ends
 *   before the answer does
 */
export async function* answerLines<Line>(
  path: string,
  json: object,
  signal: AbortSignal,
): AsyncGenerator<Line> {
  const offline = (error: unknown) => {
    if (signal.aborted) throw error;
    throw new ApiFailure(0, 'offline', 'The Studio does not answer any more. Is it still running?');
  };
  const response = await fetch(`/api${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...json, stream: true }),
    signal,
  }).catch(offline);
  await refuse(response);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read().catch(offline);
    if (done) {
      const why =
        'The answer of the Studio broke off before its end. Ask again for what is missing';
      throw new ApiFailure(0, 'broken-off', why);
    }
    text += value;
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) {
      const said = JSON.parse(line) as { error?: SaidError; end?: true };
      if (said.error) throw new ApiFailure(200, said.error.code, said.error.message);
      if (said.end) return;
      yield said as Line;
    }
  }
}
