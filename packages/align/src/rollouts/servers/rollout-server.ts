// What a server that samples answers for a run does. Prompts go there as token ids, and answers
// come back as token ids with the sampler's log-probabilities: nothing is tokenised again.

/** How answers are drawn. */
export interface ServerSampling {
  samplesPerPrompt: number;
  /** Maximum answer length, in tokens. */
  maxNewTokens: number;
  minNewTokens: number;
  /** 0: the most likely token. */
  temperature: number;
  /** null: of all tokens. */
  topK: number | null;
  topP: number;
}

/** A prompt to answer. */
export interface ServerPrompt {
  tokens: readonly number[];
  /** Its index in the whole batch, which its random numbers depend on. */
  index: number;
}

/** One sampled answer. */
export interface ServerAnswer {
  /** Includes the end token if it has one. */
  tokens: number[];
  /** Of the tokens in the distribution that they were drawn from. */
  logprobs: number[];
  /** Whether it ended with an end token, rather than being truncated. */
  ended: boolean;
}

/** What a server must agree with. */
export interface PolicyFacts {
  vocabularySize: number;
  /** Tokens that end an answer. */
  endTokens: ReadonlySet<number>;
  /** A text, and its tokens without special ones. */
  probe: { text: string; tokens: readonly number[] };
  /** SHA-256, in hex, of the base's weight files. */
  baseHash: string;
  /** Whether answers are drawn from another distribution than the model's own. */
  shapesDistribution: boolean;
}

/** A request to a server. */
export interface SampleRequest {
  prompt: ServerPrompt;
  sampling: ServerSampling;
  /** Of the batch. */
  seed: number;
  /** Name of the adapter; null: the base answers. */
  adapter: string | null;
}

/** A server that answers, and whose kind is known. */
export interface RolloutServer {
  /** What it is, for messages: "vLLM". */
  readonly kind: string;
  /**
   * Compares the server's tokens and log-probabilities with what the policy needs.
   * @returns what could not be compared, for a notice
   * @throws WrongServerError if they differ; ServerFault if it does not answer
   */
  check(facts: PolicyFacts, signal?: AbortSignal): Promise<string[]>;
  /** Loads an adapter, or replaces the one of this name. @throws ServerFault */
  loadAdapter(name: string, folder: string, signal?: AbortSignal): Promise<void>;
  /** @throws ServerFault */
  unloadAdapter(name: string, signal?: AbortSignal): Promise<void>;
  /** Names of the adapters that it has, as far as it says. @throws ServerFault */
  adapters(signal?: AbortSignal): Promise<string[]>;
  /**
   * Samples all answers to a prompt.
   * @throws ServerFault if the answers are not complete
   */
  sample(request: SampleRequest, facts: PolicyFacts, signal?: AbortSignal): Promise<ServerAnswer[]>;
}

/** A server did not do what it was asked. Another server may. */
export class ServerFault extends Error {
  /** Whether the same request may succeed later. */
  readonly transient: boolean;
  /** null: there was no response. */
  readonly status: number | null;

  constructor(
    message: string,
    { transient = false, status = null }: { transient?: boolean; status?: number | null } = {},
  ) {
    super(message);
    this.name = 'ServerFault';
    this.transient = transient;
    this.status = status;
  }
}

/** A server whose answers cannot be trained on: another model, or other numbers. */
export class WrongServerError extends Error {
  override readonly name = 'WrongServerError';
}
