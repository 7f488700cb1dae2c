// SGLang's own endpoints. Its log-probabilities are at the temperature, before top-k and top-p.
import { expectAnswers, readAnswer, sameTokens } from './read-answer.ts';
import {
  type PolicyFacts,
  type RolloutServer,
  type SampleRequest,
  type ServerAnswer,
  ServerFault,
} from './rollout-server.ts';
import type { ServerHttp } from './server-http.ts';

interface Generated {
  meta_info?: {
    /** [log-probability, token, text or null] of each token. */
    output_token_logprobs?: unknown;
    completion_tokens?: unknown;
    finish_reason?: { type?: unknown } | null;
  };
}

export class SglangServer implements RolloutServer {
  readonly kind = 'SGLang';
  readonly #http: ServerHttp;

  constructor(http: ServerHttp) {
    this.#http = http;
  }

  async check(facts: PolicyFacts, signal?: AbortSignal): Promise<string[]> {
    const compared = await sameTokens(this.#http, null, facts, signal);
    const sampling = { samplesPerPrompt: 1, maxNewTokens: 1, minNewTokens: 0 };
    await this.sample(
      {
        prompt: { tokens: facts.probe.tokens.slice(0, 1), index: 0 },
        sampling: { ...sampling, temperature: 1, topK: null, topP: 1 },
        ...{ seed: 0, adapter: null },
      },
      facts,
      signal,
    );
    return compared ? [] : ['it has no /tokenize, so its tokenizer was not compared'];
  }

  async loadAdapter(name: string, folder: string, signal?: AbortSignal): Promise<void> {
    const load = () => this.#adapter('/load_lora_adapter', name, { lora_path: folder }, signal);
    try {
      await load();
    } catch (error) {
      if (!(error instanceof ServerFault) || !/already/i.test(error.message)) throw error;
      await this.unloadAdapter(name, signal);
      await load();
    }
  }

  async unloadAdapter(name: string, signal?: AbortSignal): Promise<void> {
    await this.#adapter('/unload_lora_adapter', name, {}, signal);
  }

  /** It lists none. */
  async adapters(): Promise<string[]> {
    return [];
  }

  async #adapter(path: string, name: string, more: object, signal?: AbortSignal): Promise<void> {
    const reply = (await this.#http.ask(path, { lora_name: name, ...more }, signal)) as {
      success?: unknown;
      error_message?: unknown;
    } | null;
    if (reply?.success !== false) return;
    throw new ServerFault(`${path} failed: ${reply.error_message ?? 'it does not say why'}`);
  }

  async sample(
    { prompt, sampling, adapter }: SampleRequest,
    facts: PolicyFacts,
    signal?: AbortSignal,
  ): Promise<ServerAnswer[]> {
    const { samplesPerPrompt: n, maxNewTokens, minNewTokens, temperature, topK, topP } = sampling;
    const reply = await this.#http.ask(
      '/generate',
      {
        input_ids: prompt.tokens,
        sampling_params: {
          ...{ n, max_new_tokens: maxNewTokens, min_new_tokens: minNewTokens },
          ...{ temperature, top_p: topP, top_k: topK ?? -1 },
          ...{ min_p: 0, repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0 },
          stop_token_ids: [...facts.endTokens],
        },
        return_logprob: true,
        ...(adapter !== null && { lora_path: adapter }),
      },
      signal,
    );
    const found = (Array.isArray(reply) ? reply : [reply]) as (Generated | null)[];
    expectAnswers(found, sampling);
    return found.map((one) => {
      const {
        output_token_logprobs: pairs,
        completion_tokens: count,
        finish_reason: finish,
      } = one?.meta_info ?? {};
      if (!Array.isArray(pairs)) throw new ServerFault('an answer has no log-probabilities');
      if (typeof count === 'number' && count !== pairs.length) {
        throw new ServerFault(
          `an answer has ${count} tokens, but ${pairs.length} log-probabilities`,
        );
      }
      const raw = {
        tokens: pairs.map((pair: unknown) => (pair as unknown[])?.[1]),
        logprobs: pairs.map((pair: unknown) => (pair as unknown[])?.[0]),
        finish: finish?.type,
      };
      return readAnswer(raw, sampling, facts);
    });
  }
}
