// Which kind of server is behind an address.
import { type ListedModel, listedModels, OpenAiServer } from './open-ai-server.ts';
import { type RolloutServer, ServerFault } from './rollout-server.ts';
import { ServerHttp, type ServerHttpParts } from './server-http.ts';
import { SglangServer } from './sglang-server.ts';

/** `http://host:port`, with the kind before it if it is not to be found out. */
export const serverAddress = /^(?:(vllm|sglang)\+)?(https?:\/\/[^\s/@?#]+(?:\/[^\s@?#]*)?)$/;

/** The address that requests go to, and the kind of server if it is given. */
export function parseAddress(given: string): { url: string; kind: string | null } {
  const [, kind = null, address] = serverAddress.exec(given) ?? [];
  if (address === undefined) throw new RangeError(`${given} is not the address of a server`);
  // The base URL of OpenAI's clients is accepted too.
  return { url: address.replace(/\/+$/, '').replace(/\/v1$/, ''), kind };
}

/** Seconds for a request that a server answers at once. */
const SHORT = 30;

/**
 * Asks a server what it is.
 * @param attempts at the first request (default: several)
 * @throws ServerFault if it does not say
 */
export async function findServer(
  given: string,
  { attempts, ...parts }: Omit<ServerHttpParts, 'url'>,
  signal?: AbortSignal,
): Promise<RolloutServer> {
  const { url, kind } = parseAddress(given);
  const http = new ServerHttp({ ...parts, url });
  const timeout = Math.min(SHORT, parts.timeout);
  const asked = new ServerHttp({ ...parts, url, timeout, ...(attempts && { attempts }) });
  const models = await listedModels(asked, signal);
  if (kind === 'sglang') return new SglangServer(http);
  if (kind === 'vllm') return new OpenAiServer(http, 'vLLM', models);
  const owner = models.find(({ parent }: ListedModel) => parent == null)?.owned_by;
  if (owner === 'keel') return new OpenAiServer(http, 'keel serve', models);
  if (owner === 'vllm') return new OpenAiServer(http, 'vLLM', models);
  if (owner === 'sglang') return new SglangServer(http);
  if (await has(http, '/version', signal)) return new OpenAiServer(http, 'vLLM', models);
  if (await has(http, '/server_info', signal)) return new SglangServer(http);
  throw new ServerFault(
    'it is neither keel serve, nor vLLM, nor SGLang as far as it says. Write vllm+http://… or sglang+http://… if it speaks as one of them',
  );
}

async function has(http: ServerHttp, path: string, signal?: AbortSignal): Promise<boolean> {
  try {
    return (await http.ask(path, undefined, signal)) !== null;
  } catch (error) {
    if (error instanceof ServerFault && error.status !== null) return false;
    throw error;
  }
}
