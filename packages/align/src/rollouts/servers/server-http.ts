// Requests to a rollout server: each has a time limit, each status is checked, and what may succeed
// later is repeated.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { withoutKey } from '../../judges/endpoint/api-key.ts';
import { type Clock, systemClock } from '../../judges/endpoint/clock.ts';
import { retryWait } from '../../judges/endpoint/retry-wait.ts';
import { readWords } from '../../judges/endpoint/server-words.ts';
import { ServerFault } from './rollout-server.ts';

/** Attempts at a request. */
const ATTEMPTS = 3;
/** Bytes of a body; more than the answers to a prompt have. */
const LARGEST_BODY = 256 * 1024 * 1024;

export interface ServerHttpParts {
  /** Without a slash at the end. */
  url: string;
  /** Sent as a bearer token; null: none. */
  key: string | null;
  /** Seconds for a request, with its body. */
  timeout: number;
  /** At a request whose fault may pass (default: 3). */
  attempts?: number;
  clock?: Clock;
  /** From 0 to 1, for the length of waits (default: Math.random). */
  random?: () => number;
}

interface Reply {
  status: number;
  text: string;
  retryAfter: number | null;
}

export class ServerHttp {
  readonly url: string;
  readonly #parts: ServerHttpParts;
  readonly #clock: Clock;

  constructor(parts: ServerHttpParts) {
    this.url = parts.url;
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
  }

  /**
   * The JSON of a response; null if it is text.
   * @param body of a POST; absent: a GET
   * @throws ServerFault for any status but 2xx, after the repetitions; the signal's reason once it
   *   is aborted
   */
  async ask(path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      let fault: ServerFault;
      let asked: number | null = null;
      try {
        const reply = await this.#once(path, body, signal);
        if (reply.status >= 200 && reply.status < 300) return jsonOf(reply.text);
        fault = this.#statusFault(path, reply);
        asked = reply.retryAfter;
      } catch (error) {
        if (!(error instanceof ServerFault)) throw error;
        fault = error;
      }
      const { random = Math.random, attempts = ATTEMPTS } = this.#parts;
      const wait = fault.transient ? retryWait(attempt, asked, random()) : null;
      if (wait === null || attempt >= attempts) throw fault;
      await this.#clock.wait(wait, signal);
    }
  }

  #statusFault(path: string, { status, text }: Reply): ServerFault {
    const { message } = readWords(withoutKey(text, this.#parts.key));
    const said = message === '' ? '' : `: ${message}`;
    const transient = status >= 500 || status === 408 || status === 425 || status === 429;
    return new ServerFault(`${path} returned ${status}${said}`, { transient, status });
  }

  async #once(path: string, body: object | undefined, signal?: AbortSignal): Promise<Reply> {
    signal?.throwIfAborted();
    const { timeout } = this.#parts;
    using deadline = this.#clock.deadline(1000 * timeout);
    const ends = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
    try {
      return await this.#send(path, body, ends);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ServerFault) throw error;
      // The next server is asked instead: a server that hangs would hang again.
      if (deadline.signal.aborted) throw new ServerFault(`${path} took more than ${timeout} s`);
      const { code = '', message } = error as NodeJS.ErrnoException;
      const why = code === '' || message.includes(code) ? message : `${code}: ${message}`;
      throw new ServerFault(`${path}: ${why || 'the connection failed'}`, { transient: true });
    }
  }

  /** Node's own client: `fetch` has a time limit of its own, which long answers exceed. */
  #send(path: string, body: object | undefined, signal: AbortSignal): Promise<Reply> {
    const { url, key } = this.#parts;
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const content = body === undefined ? null : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = send(`${url}${path}`, {
        method: content === null ? 'GET' : 'POST',
        signal,
        headers: {
          accept: 'application/json',
          'user-agent': 'keel',
          ...(content !== null && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(content),
          }),
          ...(key !== null && { authorization: `Bearer ${key}` }),
        },
      });
      request.once('error', reject);
      request.once('response', (response) => {
        const pieces: Buffer[] = [];
        let bytes = 0;
        response.on('data', (piece: Buffer) => {
          pieces.push(piece);
          bytes += piece.length;
          if (bytes <= LARGEST_BODY) return;
          response.destroy(new ServerFault(`${path} returned more than ${LARGEST_BODY} bytes`));
        });
        response.once('error', reject);
        response.once('aborted', () => reject(new Error('the connection ended within a body')));
        response.once('end', () => {
          const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
          resolve({
            status: response.statusCode!,
            text: Buffer.concat(pieces).toString('utf8'),
            retryAfter: seconds >= 0 ? 1000 * seconds : null,
          });
        });
      });
      request.end(content ?? undefined);
    });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
