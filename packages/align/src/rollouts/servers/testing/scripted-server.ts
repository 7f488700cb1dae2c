// A rollout server for tests that speaks the documented bodies of vLLM or SGLang. Its answers
// depend on prompt, seed and sample alone; a function can replace any of its responses.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedRequest {
  path: string;
  body: Record<string, unknown>;
  headers: IncomingMessage['headers'];
}

/** What is sent instead of the usual response. */
export type ScriptedReply =
  | { status: number; body: unknown }
  /** Whatever it does with the connection. */
  | ((response: ServerResponse) => void);

export interface ScriptedServerOptions {
  kind: 'vllm' | 'sglang';
  /** Tokens of answers are below this (default: 20). */
  tokens?: number;
  /** Tokens that /tokenize returns; null: there is no such endpoint (default: null). */
  tokenised?: readonly number[] | null;
  /** null: the usual response. */
  instead?(request: ScriptedRequest, usual: () => unknown): ScriptedReply | null;
}

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ScriptedRequest[];
  /** Adapters that are loaded: name and folder. */
  readonly adapters: ReadonlyMap<string, string>;
  /** Ends every connection, and accepts no more. */
  close(): Promise<void>;
}

/** The token that ends an answer of the tiny models. */
const END = 0;

export async function openScriptedServer({
  kind,
  tokens = 20,
  tokenised = null,
  instead = () => null,
}: ScriptedServerOptions): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  const adapters = new Map<string, string>();
  /** The answers to one prompt. */
  const answersTo = (prompt: unknown, seed: unknown, n: number, most: number, greedy: boolean) =>
    Array.from({ length: n }, (_, sample) => {
      const digest = createHash('sha256')
        .update(JSON.stringify([prompt, seed, sample]))
        .digest();
      const length = greedy ? 1 : 1 + (digest[0]! % most);
      const drawn = Array.from({ length }, (_, at) => 1 + (digest[(at + 1) % 32]! % (tokens - 1)));
      const ended = length < most;
      if (ended) drawn[length - 1] = END;
      const logprobs = drawn.map((_, at) => (greedy ? 0 : -0.5 - digest[at % 32]! / 256));
      return { drawn, logprobs, finish: ended ? 'stop' : 'length' };
    });

  const replies: Record<string, (body: Record<string, unknown>) => unknown> = {
    '/v1/models': () => ({
      object: 'list',
      data: [
        { id: 'base', object: 'model', owned_by: kind, parent: null },
        ...[...adapters.keys()].map((id) => ({ id, owned_by: kind, parent: 'base' })),
      ],
    }),
    ...(tokenised !== null && {
      '/tokenize': () => ({ count: tokenised.length, max_model_len: 2048, tokens: tokenised }),
    }),
  };
  const load = ({ lora_name: name, lora_path: path }: Record<string, unknown>) =>
    void adapters.set(name as string, path as string);
  const unload = ({ lora_name: name }: Record<string, unknown>) =>
    void adapters.delete(name as string);
  if (kind === 'vllm') {
    Object.assign(replies, {
      '/version': () => ({ version: '0.25.1' }),
      '/v1/load_lora_adapter': (body: Record<string, unknown>) => {
        load(body);
        return `Success: LoRA adapter '${body.lora_name}' added successfully.`;
      },
      '/v1/unload_lora_adapter': (body: Record<string, unknown>) => {
        unload(body);
        return `Success: LoRA adapter '${body.lora_name}' removed successfully.`;
      },
      '/v1/completions': (body: Record<string, unknown>) => {
        const { prompt, seed, n, max_tokens: most, top_k: topK } = body;
        const answers = answersTo(prompt, seed, n as number, most as number, topK === 1);
        return {
          object: 'text_completion',
          choices: answers.map(({ drawn, logprobs, finish }, index) => ({
            ...{ index, text: 'not read', finish_reason: finish, stop_reason: null },
            ...{ prompt_token_ids: prompt, token_ids: drawn },
            logprobs: { token_logprobs: logprobs, tokens: [], top_logprobs: [], text_offset: [] },
          })),
        };
      },
    });
  } else {
    Object.assign(replies, {
      '/server_info': () => ({ model_path: 'base' }),
      '/load_lora_adapter': (body: Record<string, unknown>) => {
        load(body);
        return { success: true, error_message: '' };
      },
      '/unload_lora_adapter': (body: Record<string, unknown>) => {
        unload(body);
        return { success: true, error_message: '' };
      },
      '/generate': ({ input_ids: prompt, sampling_params: how }: Record<string, unknown>) => {
        const { n, max_new_tokens: most } = how as { n: number; max_new_tokens: number };
        const answers = answersTo(prompt, 0, n, most, false).map(({ drawn, logprobs, finish }) => ({
          text: 'not read',
          meta_info: {
            finish_reason: finish === 'stop' ? { type: 'stop', matched: END } : { type: 'length' },
            completion_tokens: drawn.length,
            output_token_logprobs: drawn.map((token, at) => [logprobs[at], token, null]),
          },
        }));
        return n === 1 ? answers[0] : answers;
      },
    });
  }

  const server = createServer(async (incoming, response) => {
    let text = '';
    for await (const chunk of incoming.setEncoding('utf8')) text += chunk;
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    const request = { path: incoming.url!, body, headers: incoming.headers };
    requests.push(request);
    const usual = (): unknown => replies[request.path]?.(body);
    const other = instead(request, usual);
    if (typeof other === 'function') return other(response);
    if (other !== null) return send(response, other.status, other.body);
    if (replies[request.path] === undefined) send(response, 404, { detail: 'Not Found' });
    else send(response, 200, usual());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    ...{ url: `http://127.0.0.1:${port}`, requests, adapters, close },
    [Symbol.asyncDispose]: close,
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json' });
  response.end(isText ? body : JSON.stringify(body));
}
