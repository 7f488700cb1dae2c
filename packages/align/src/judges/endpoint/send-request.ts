// One HTTP request to an endpoint, without repetition.
import type { OpenAI } from 'openai';
import { type ApiKey, withoutKey } from './api-key.ts';
import type { Clock } from './clock.ts';
import { type ReadCompletion, readCompletion } from './completion.ts';
import { readWords, type ServerWords } from './server-words.ts';

/** Bytes of a body; more than any completion has. */
const LARGEST_BODY = 32 * 1024 * 1024;

/** Why a request has no completion. */
export type RequestFault =
  | { kind: 'unreachable'; why: string }
  | { kind: 'timeout' }
  | { kind: 'cut-off'; why: string }
  | { kind: 'malformed'; why: string }
  | {
      kind: 'status';
      status: number;
      words: ServerWords;
      /** Where a redirection leads. */
      location: string | null;
      /** Milliseconds that the server asks to wait. */
      retryAfter: number | null;
    };

export type RequestOutcome = { completion: ReadCompletion } | { fault: RequestFault };

export interface SenderParts {
  baseUrl: string;
  key: ApiKey | null;
  /** Seconds for the whole request, with its body. */
  timeout: number;
  clock: Clock;
}

/** Sends requests with OpenAI's client. */
export class Sender {
  readonly #parts: SenderParts;
  #client: Promise<OpenAI> | null = null;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** @throws the signal's reason once it is aborted */
  async send(body: object, signal?: AbortSignal): Promise<RequestOutcome> {
    signal?.throwIfAborted();
    const { clock, timeout, key } = this.#parts;
    this.#client ??= this.#open();
    const client = await this.#client;
    using deadline = clock.deadline(1000 * timeout);
    const ends = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
    try {
      const response = await client
        .post('/chat/completions', { body, signal: ends, maxRetries: 0 })
        .asResponse();
      const read = readCompletion(withoutKey(await response.text(), key?.key ?? null));
      return 'fault' in read
        ? { fault: { kind: 'malformed', why: read.fault } }
        : { completion: read };
    } catch (error) {
      signal?.throwIfAborted();
      if (deadline.signal.aborted) return { fault: { kind: 'timeout' } };
      return { fault: this.#faultOf(error) };
    }
  }

  async #open(): Promise<OpenAI> {
    // Only those who use an endpoint pay for loading it.
    const { OpenAI } = await import('openai');
    const { baseUrl, key, timeout } = this.#parts;
    return new OpenAI({
      baseURL: baseUrl,
      apiKey: key?.key ?? 'none',
      // Otherwise, it reads these from the environment and sends them to any server.
      ...{ adminAPIKey: null, organization: null, project: null, webhookSecret: null },
      ...{ maxRetries: 0, logLevel: 'off' },
      // The deadline of each request ends it; this one does not cover the body.
      timeout: 2000 * timeout,
      fetch: (url, init) => exchange(url as string, init, key?.key ?? null),
    });
  }

  #faultOf(error: unknown): RequestFault {
    const { status, headers } = error as { status?: number; headers?: Headers };
    if (status !== undefined && headers !== undefined) {
      const { error: words = readWords('') } = error as { error?: ServerWords };
      const location = headers.get('location');
      const retryAfter = retryTime(headers, this.#parts.clock.now());
      return { kind: 'status', status, words, location, retryAfter };
    }
    const cause = rootOf(error);
    const why = withoutKey(cause.message, this.#parts.key?.key ?? null);
    const { code = '' } = cause;
    if (cause instanceof NoAnswer) return { kind: 'malformed', why };
    if (cause.name === 'HTTPParserError') return { kind: 'malformed', why: `no HTTP (${why})` };
    if (cause instanceof CutOff) return { kind: 'cut-off', why };
    if (/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/.test(code)) {
      return { kind: 'cut-off', why: 'before its first byte' };
    }
    // Node's own limit.
    if (code === 'UND_ERR_HEADERS_TIMEOUT') return { kind: 'timeout' };
    return { kind: 'unreachable', why: code === '' ? why : `${code}: ${why}` };
  }
}

/** The connection ended within a body. */
class CutOff extends Error {}

/** What arrived is no answer of an API. */
class NoAnswer extends Error {}

/**
 * Fetches with the headers that a completion needs and no others, and reads the whole body. The
 * body of an error becomes {@link ServerWords}, the form that OpenAI's client expects.
 */
async function exchange(
  url: string,
  init: RequestInit | undefined,
  key: string | null,
): Promise<Response> {
  const response = await fetch(url, {
    ...init,
    // A key must not follow a redirection to another server.
    redirect: 'manual',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': 'keel',
      ...(key !== null && { authorization: `Bearer ${key}` }),
    },
  });
  const body = await readBody(response);
  const { status, headers } = response;
  if (response.ok) return new Response(body, { status: 200, headers: plainHeaders(headers) });
  if (status > 599) throw new NoAnswer(`it returned the unknown status ${status}`);
  const words = JSON.stringify({ error: readWords(withoutKey(body, key)) });
  // A 304 has no body.
  return new Response(status === 304 ? null : words, { status, headers: plainHeaders(headers) });
}

/** Headers without those that describe the body as it was sent. */
function plainHeaders(headers: Headers): Headers {
  const plain = new Headers({ 'content-type': 'application/json' });
  for (const name of ['retry-after', 'retry-after-ms', 'location']) {
    const value = headers.get(name);
    if (value !== null) plain.set(name, value);
  }
  return plain;
}

async function readBody({ body }: Response): Promise<string> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > LARGEST_BODY) throw new NoAnswer(`it returned more than ${LARGEST_BODY} bytes`);
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    if (error instanceof NoAnswer) throw error;
    throw new CutOff(`${bytes} bytes arrived`, { cause: error });
  }
  return text + decoder.decode();
}

interface Cause extends Error {
  code?: string | undefined;
}

/** The innermost error that says something: fetch's own says only that it failed. */
function rootOf(error: unknown): Cause {
  let found = error as Cause;
  while (found.cause instanceof Error && !(found instanceof CutOff)) found = found.cause as Cause;
  // Attempts on several addresses.
  if (found instanceof AggregateError && found.errors.length > 0) return found.errors[0] as Cause;
  return found;
}

/** Milliseconds that a server asks to wait, in seconds or as a date; null if it does not ask. */
function retryTime(headers: Headers, now: number): number | null {
  const exact = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (exact >= 0) return exact;
  const text = headers.get('retry-after');
  if (text === null || text.trim() === '') return null;
  const seconds = Number(text);
  if (seconds >= 0) return 1000 * seconds;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(date - now, 0);
}
