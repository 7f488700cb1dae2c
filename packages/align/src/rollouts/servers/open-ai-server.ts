// vLLM's completions and adapters over HTTP, which keel serve speaks too.
import { expectAnswers, readAnswer, sameTokens } from './read-answer.ts';
import {
  type PolicyFacts,
  type RolloutServer,
  type SampleRequest,
  type ServerAnswer,
  ServerFault,
  WrongServerError,
} from './rollout-server.ts';
import type { ServerHttp } from './server-http.ts';

/** An entry of /v1/models. */
export interface ListedModel {
  id: string;
  owned_by?: string;
  /** The base of an adapter. */
  parent?: string | null;
}

interface Choice {
  index?: number;
  token_ids?: unknown;
  logprobs?: { token_logprobs?: unknown } | null;
  finish_reason?: unknown;
}

export class OpenAiServer implements RolloutServer {
  readonly kind: 'vLLM' | 'keel serve';
  readonly #http: ServerHttp;
  /** Name of the base. */
  readonly #base: string;

  constructor(http: ServerHttp, kind: OpenAiServer['kind'], models: readonly ListedModel[]) {
    this.#http = http;
    this.kind = kind;
    const base = models.find(({ parent }) => parent == null);
    if (base === undefined) throw new ServerFault('/v1/models names no model');
    this.#base = base.id;
  }

  async check(facts: PolicyFacts, signal?: AbortSignal): Promise<string[]> {
    const compared = await sameTokens(this.#http, this.#base, facts, signal);
    // The most likely token alone has the probability 1 in the distribution it is drawn from.
    const sampling = { samplesPerPrompt: 1, maxNewTokens: 1, minNewTokens: 0 };
    const { reply, answers } = await this.#complete(
      {
        prompt: { tokens: facts.probe.tokens.slice(0, 1), index: 0 },
        sampling: { ...sampling, temperature: 1, topK: 1, topP: 1 },
        ...{ seed: 0, adapter: null },
      },
      facts,
      signal,
    );
    if (facts.shapesDistribution && answers[0]!.logprobs[0]! < -1e-3) {
      throw new WrongServerError(
        'its log-probabilities are those before temperature and filters. Start vLLM with --logprobs-mode processed_logprobs, or sample with --temperature 1, without --top-k and --top-p',
      );
    }
    const found = reply.system_fingerprint;
    const expected = `keel-${facts.baseHash.slice(0, 12)}`;
    if (this.kind === 'keel serve' && found !== expected) {
      throw new WrongServerError(
        `it serves other weights (${found}) than the policy's base (${expected}). Start it with the --model of this run`,
      );
    }
    return compared ? [] : ['it has no /tokenize, so its tokenizer was not compared'];
  }

  async loadAdapter(name: string, folder: string, signal?: AbortSignal): Promise<void> {
    const body = { lora_name: name, lora_path: folder, load_inplace: true };
    try {
      await this.#http.ask('/v1/load_lora_adapter', body, signal);
    } catch (error) {
      if (!(error instanceof ServerFault)) throw error;
      if (error.status === 404 || error.status === 405) {
        throw new ServerFault(`${error.message}. ${this.#adapterAdvice}`, error);
      }
      // Versions of vLLM without `load_inplace`.
      if (error.status !== 400 || !/already/i.test(error.message)) throw error;
      await this.unloadAdapter(name, signal);
      await this.#http.ask('/v1/load_lora_adapter', body, signal);
    }
  }

  get #adapterAdvice(): string {
    return this.kind === 'vLLM'
      ? 'Start vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True'
      : 'Start keel serve with --runtime-adapters';
  }

  async unloadAdapter(name: string, signal?: AbortSignal): Promise<void> {
    await this.#http.ask('/v1/unload_lora_adapter', { lora_name: name }, signal);
  }

  async adapters(signal?: AbortSignal): Promise<string[]> {
    const models = await listedModels(this.#http, signal);
    return models.flatMap(({ id, parent }) => (parent == null ? [] : [id]));
  }

  async sample(
    request: SampleRequest,
    facts: PolicyFacts,
    signal?: AbortSignal,
  ): Promise<ServerAnswer[]> {
    return (await this.#complete(request, facts, signal)).answers;
  }

  async #complete(
    { prompt, sampling, seed, adapter }: SampleRequest,
    facts: PolicyFacts,
    signal?: AbortSignal,
  ): Promise<{ reply: { system_fingerprint?: unknown }; answers: ServerAnswer[] }> {
    const { samplesPerPrompt: n, maxNewTokens, minNewTokens, temperature, topK, topP } = sampling;
    const isKeel = this.kind === 'keel serve';
    const body = {
      model: adapter ?? this.#base,
      prompt: prompt.tokens,
      ...{ n, max_tokens: maxNewTokens, min_tokens: minNewTokens },
      ...{ temperature, top_p: topP, top_k: topK ?? -1 },
      // A model's own settings for generation would change the distribution.
      ...{ min_p: 0, repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0 },
      stop_token_ids: [...facts.endTokens],
      ...{ return_token_ids: true, logprobs: 0 },
      // vLLM draws answer i with the seed plus i.
      ...(isKeel
        ? { seed, prompt_index: prompt.index, logprobs_mode: 'processed_logprobs' }
        : { seed: (seed + prompt.index * n) % 2 ** 48 }),
    };
    const reply = (await this.#http.ask('/v1/completions', body, signal)) as {
      choices?: Choice[];
      system_fingerprint?: unknown;
    } | null;
    if (!Array.isArray(reply?.choices)) throw new ServerFault('/v1/completions has no choices');
    const choices = reply.choices.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0));
    expectAnswers(choices, sampling);
    const answers = choices.map(({ token_ids: tokens, logprobs, finish_reason: finish }) => {
      if (tokens == null) {
        throw new ServerFault('it returns no token ids: it does not know return_token_ids');
      }
      const raw = { tokens, logprobs: logprobs?.token_logprobs, finish };
      return readAnswer(raw, sampling, facts);
    });
    return { reply, answers };
  }
}

/** The base and the adapters of a server. @throws ServerFault */
export async function listedModels(http: ServerHttp, signal?: AbortSignal): Promise<ListedModel[]> {
  const reply = (await http.ask('/v1/models', undefined, signal)) as { data?: unknown } | null;
  if (!Array.isArray(reply?.data)) throw new ServerFault('/v1/models returned no list of models');
  return reply.data as ListedModel[];
}
