// Models that answer on the spot: those of OpenAI-compatible servers, such as `keel serve`. Which
// servers is said on the command line: a page cannot name an address.
import { EndpointError, type Judge, openEndpointJudge } from '@keel/align/judges';
import OpenAI, { APIConnectionError, APIError } from 'openai';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface Sampling {
  temperature: number;
  maxTokens: number;
}

/** A server that cannot be reached, or that refuses. */
export class ModelServerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ModelServerError';
  }
}

/** Milliseconds that an answer may take. */
const PATIENCE = 300_000;

export class ModelServers {
  readonly #clients: ReadonlyMap<string, OpenAI>;
  readonly #key: string | null;
  /** Which server has a model, as it was last listed. */
  #known: ReadonlyMap<string, OpenAI> = new Map();

  /**
   * @param addresses of servers: `http://127.0.0.1:8000`
   * @param key sent to all of them; null: none
   */
  constructor(addresses: readonly string[], key: string | null) {
    this.#key = key;
    this.#clients = new Map(
      addresses.map((address) => {
        const plain = address.replace(/\/+$/, '').replace(/\/v1$/, '');
        const options = { baseURL: `${plain}/v1`, apiKey: key ?? 'none', timeout: PATIENCE };
        return [address, new OpenAI({ ...options, maxRetries: 1 })];
      }),
    );
  }

  /** Whether any server was named. */
  get any(): boolean {
    return this.#clients.size > 0;
  }

  /** Names of the models of all servers, and what is wrong with servers that do not answer. */
  async list(): Promise<{ models: string[]; faults: string[] }> {
    const found = await this.#found();
    return { models: [...found.models.keys()], faults: found.faults };
  }

  async #found(): Promise<{ models: Map<string, OpenAI>; faults: string[] }> {
    const models = new Map<string, OpenAI>();
    const faults: string[] = [];
    for (const [address, client] of this.#clients) {
      try {
        for await (const { id } of client.models.list())
          if (!models.has(id)) models.set(id, client);
      } catch (error) {
        faults.push(faultOf(address, error));
      }
    }
    this.#known = models;
    return { models, faults };
  }

  async #clientOf(model: string): Promise<OpenAI> {
    const { models, faults } = await this.#found();
    const client = models.get(model);
    if (client !== undefined) return client;
    throw new ModelServerError([`No server has the model "${model}".`, ...faults].join(' '));
  }

  /**
   * A model as a judge of pairs.
   * @throws ModelServerError for an unknown model
   */
  async judge(model: string): Promise<Judge> {
    const { baseURL } = this.#known.get(model) ?? (await this.#clientOf(model));
    return openEndpointJudge(
      {
        ...{ model, name: model, base_url: baseURL, retries: 1 },
        ...(this.#key !== null && { api_key_env: KEY }),
      },
      { environment: { [KEY]: this.#key ?? undefined } },
    );
  }

  /** What a judge of a server could not do, as what is wrong with the server. */
  static faultOf(error: unknown): unknown {
    return error instanceof EndpointError ? new ModelServerError(error.message) : error;
  }

  /**
   * @returns the text that a model answers, as it is written
   * @throws ModelServerError for an unknown model, a server that does not answer, and an answer
   *   that breaks off
   */
  async *write(
    model: string,
    messages: readonly ChatMessage[],
    { temperature, maxTokens }: Sampling,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const client = this.#known.get(model) ?? (await this.#clientOf(model));
    let isWhole = false;
    try {
      const chunks = await client.chat.completions.create(
        { model, messages: [...messages], temperature, max_tokens: maxTokens, stream: true },
        { signal },
      );
      for await (const { choices } of chunks) {
        const [choice] = choices;
        if (choice?.delta.content) yield choice.delta.content;
        isWhole ||= choice?.finish_reason != null;
      }
    } catch (error) {
      throw new ModelServerError(faultOf(client.baseURL, error));
    }
    // The client of the servers ends without an error where the connection is lost.
    if (!isWhole) throw new ModelServerError(`${client.baseURL} broke off in the middle.`);
  }
}

/** Where the judge of a server finds its key. */
const KEY = 'KEEL_MODELS_KEY';

function faultOf(address: string, error: unknown): string {
  if (error instanceof APIConnectionError)
    return `${address} does not answer. Start it with keel serve.`;
  if (error instanceof APIError) return `${address} says: ${error.message}`;
  return `${address}: ${error instanceof Error ? error.message : String(error)}`;
}
