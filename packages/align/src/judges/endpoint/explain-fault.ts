import type { EndpointErrorCode } from './endpoint-error.ts';
import type { RequestFault } from './send-request.ts';
import type { ServerWords } from './server-words.ts';

interface Context {
  /** `MODEL at URL` */
  name: string;
  baseUrl: string;
  model: string;
  /** The environment variable with the key, or null. */
  variable: string | null;
  /** Seconds. */
  timeout: number;
  attempts: number;
  /** Whether the endpoint has answered a request before. */
  answered: boolean;
}

interface Explained {
  message: string;
  code: EndpointErrorCode;
  status?: number;
  scope: 'endpoint' | 'request';
  transient: boolean;
}

type Faulty<Kind> = Extract<RequestFault, { kind: Kind }>;

/** What a fault means, and what to do about it. */
export function explainFault(fault: RequestFault, context: Context): Explained {
  const { name, timeout, attempts } = context;
  const after = attempts > 1 ? ` (attempt ${attempts})` : '';
  switch (fault.kind) {
    case 'unreachable':
      return unreachable(fault, context);
    case 'timeout':
      return {
        message: `${name}: no complete answer within ${timeout} s${after}. Raise "timeout", or lower "concurrency" or "max_tokens"`,
        ...{ code: 'timeout', scope: 'request', transient: true },
      };
    case 'cut-off':
      return {
        message: `${name}: the connection ended within an answer (${fault.why})${after}`,
        ...{ code: 'cut-off', scope: 'request', transient: true },
      };
    case 'malformed':
      return {
        message: `${name}: ${fault.why}${after}. Check that "base_url" is that of an OpenAI-compatible API, such as http://127.0.0.1:8000/v1`,
        ...{ code: 'malformed', scope: 'request', transient: true },
      };
    case 'status':
      return { ...ofStatus(fault, context, after), status: fault.status };
  }
}

function unreachable({ why }: Faulty<'unreachable'>, { name, answered }: Context): Explained {
  // A server that has answered before may be restarting; a wrong certificate stays wrong.
  const transient = answered && !/CERT|TLS|SSL|SIGNATURE/.test(why);
  return {
    message: `${name}: no connection (${why}). Check "base_url", and that the server runs`,
    ...{ code: 'unreachable', scope: 'endpoint', transient },
  };
}

function ofStatus(fault: Faulty<'status'>, context: Context, after: string): Explained {
  const { name, baseUrl, model, answered } = context;
  const { status, words, location } = fault;
  const said = `${name}: ${status}${words.message === '' ? '' : `, "${words.message}"`}${after}`;
  if (status >= 300 && status < 400) {
    return {
      message: `${said}: it redirects${location === null ? '' : ` to ${location}`}, and Keel follows no redirections with a key. Set "base_url" to the final address`,
      ...{ code: 'not-found', scope: 'endpoint', transient: false },
    };
  }
  if (status === 401 || status === 403) {
    return {
      message: `${said}. ${keyAdvice(context)}`,
      ...{ code: 'unauthorised', scope: 'endpoint', transient: false },
    };
  }
  if (status === 402 || /insufficient_quota|billing/i.test(`${words.code} ${words.message}`)) {
    return {
      message: `${said}. The account has no credit left: add some, and repeat the command`,
      ...{ code: 'unauthorised', scope: 'endpoint', transient: false },
    };
  }
  if (status === 404) {
    return {
      message: `${said}. Check the model "${model}", and that "base_url" is the part of the address before /chat/completions (${baseUrl})`,
      ...{ code: 'not-found', scope: 'endpoint', transient: false },
    };
  }
  if (status === 429) {
    return {
      message: `${said}. The endpoint limits the rate of requests: lower "concurrency" if this lasts`,
      ...{ code: 'rate-limited', scope: 'request', transient: true },
    };
  }
  if (status >= 500 || status === 408 || status === 409 || status === 425) {
    return {
      message: said,
      ...{ code: 'server-error', scope: 'request', transient: true },
    };
  }
  if (isTooLong(status, words)) {
    return {
      message: `${said}. The prompt is longer than the model's context`,
      ...{ code: 'too-long', scope: 'request', transient: false },
    };
  }
  if (/content_?filter|content management|safety/i.test(`${words.code} ${words.message}`)) {
    return {
      message: `${said}. The endpoint's content filter refused the request`,
      ...{ code: 'filtered', scope: 'request', transient: false },
    };
  }
  // An endpoint that has accepted nothing yet will not accept the next request either.
  const scope = answered ? 'request' : 'endpoint';
  return { message: said, code: 'rejected', scope, transient: false };
}

const isTooLong = (status: number, { code, message }: ServerWords): boolean =>
  status === 413 ||
  /context.?(length|size|window)|too long|too many tokens|exceeds? the .*(context|tokens)/i.test(
    `${code} ${message}`,
  );

const keyAdvice = ({ variable }: Context): string =>
  variable === null
    ? 'No key was sent: name the environment variable that contains it with "api_key_env"'
    : `Check the key in the environment variable ${variable}, or name another one with "api_key_env"`;
