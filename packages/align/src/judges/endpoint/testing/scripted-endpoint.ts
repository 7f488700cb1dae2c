// An OpenAI-compatible endpoint for tests: it answers what a function says, also with faults.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request's body, as far as tests look at it. */
export interface ChatRequest {
  model: string;
  messages: { role: string; content: string }[];
  temperature?: number;
  seed?: number;
  stop?: string[];
  max_tokens?: number;
  max_completion_tokens?: number;
  logprobs?: boolean;
  top_logprobs?: number;
  response_format?: { type: string; json_schema?: { name: string; schema: object } };
  [field: string]: unknown;
}

/** One token of an answer. */
export interface ScriptedToken {
  token: string;
  /** Its own log-probability (default: by {@link top}, else 0). */
  logprob?: number;
  /**
   * Probabilities of what may be in its place. As a list, several tokens can have the same text.
   */
  top:
    | Readonly<Record<string, number>>
    | readonly (readonly [token: string, probability: number])[];
}

export type Reply =
  | {
      /** The message's content; null as some servers send it. Default: that of the tokens. */
      text?: string | null;
      tokens?: readonly ScriptedToken[];
      /** Default: `stop`. */
      finish?: string;
      refusal?: string;
      /** Default: 10 tokens in the prompt, 2 in the answer; null: none. */
      usage?: { prompt: number; answer: number } | null;
    }
  /** An error, or any other body. */
  | { status: number; body?: string | object; headers?: Readonly<Record<string, string>> }
  /** Whatever it does with the connection. */
  | ((response: ServerResponse, request: IncomingMessage) => void);

/** @param index of the request, from 0 */
export type Script = (request: ChatRequest, index: number) => Reply | Promise<Reply>;

export interface ScriptedEndpoint extends AsyncDisposable {
  /** For `base_url`. */
  readonly url: string;
  /** Bodies of all requests so far. */
  readonly requests: readonly ChatRequest[];
  readonly headers: readonly IncomingMessage['headers'][];
  /** Most requests that were open at the same time. */
  readonly mostAtOnce: number;
}

/** Opens an endpoint on a free port of this machine. */
export async function openScriptedEndpoint(script: Script): Promise<ScriptedEndpoint> {
  const requests: ChatRequest[] = [];
  const headers: IncomingMessage['headers'][] = [];
  let open = 0;
  let mostAtOnce = 0;
  const server = createServer(async (request, response) => {
    open += 1;
    mostAtOnce = Math.max(mostAtOnce, open);
    response.once('close', () => {
      open -= 1;
    });
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    if (request.url !== '/v1/chat/completions') {
      send(response, { status: 404, body: { error: { message: `no ${request.url}` } } });
      return;
    }
    const body = JSON.parse(text) as ChatRequest;
    headers.push(request.headers);
    const reply = await script(body, requests.push(body) - 1);
    if (typeof reply === 'function') reply(response, request);
    else if ('status' in reply) send(response, reply);
    else send(response, { status: 200, body: completionOf(reply, body) });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    ...{ requests, headers },
    get mostAtOnce() {
      return mostAtOnce;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(
  response: ServerResponse,
  { status, body = '', headers = {} }: Extract<Reply, { status: number }>,
): void {
  const isText = typeof body === 'string';
  response.writeHead(status, {
    'content-type': isText ? 'text/html; charset=utf-8' : 'application/json',
    ...headers,
  });
  response.end(isText ? body : JSON.stringify(body));
}

/** A chat completion as OpenAI writes it. */
export function completionOf(
  reply: Exclude<Reply, { status: number } | ((...given: never[]) => void)>,
  { model, logprobs }: Pick<ChatRequest, 'model' | 'logprobs'>,
): object {
  const { tokens, finish = 'stop', refusal, usage = { prompt: 10, answer: 2 } } = reply;
  const { text = tokens?.map(({ token }) => token).join('') ?? null } = reply;
  return {
    ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model },
    choices: [
      {
        ...{ index: 0, finish_reason: finish },
        message: { role: 'assistant', content: text, ...(refusal !== undefined && { refusal }) },
        logprobs: logprobs && tokens !== undefined ? { content: tokens.map(logprobsOf) } : null,
      },
    ],
    ...(usage !== null && {
      usage: {
        ...{ prompt_tokens: usage.prompt, completion_tokens: usage.answer },
        total_tokens: usage.prompt + usage.answer,
      },
    }),
  };
}

function logprobsOf({ token, logprob, top }: ScriptedToken): object {
  const listed = Array.isArray(top) ? (top as [string, number][]) : Object.entries(top);
  const own = listed.find(([text]) => text === token)?.[1] ?? 1;
  return {
    ...{ token, logprob: logprob ?? Math.log(own), bytes: [...Buffer.from(token)] },
    top_logprobs: listed
      .toSorted(([, one], [, other]) => other - one)
      .map(([text, probability]) => ({ token: text, logprob: Math.log(probability), bytes: null })),
  };
}
