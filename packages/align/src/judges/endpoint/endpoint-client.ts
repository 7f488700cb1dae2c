import pLimit from 'p-limit';
import { type Message, textOf } from '../../data/messages.ts';
import { type ApiKey, readApiKey } from './api-key.ts';
import { type Admission, Budget, type TokenCount } from './budget.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Completion, ReadCompletion } from './completion.ts';
import { EndpointError, type Spending } from './endpoint-error.ts';
import {
  baseUrlOf,
  type CheckedEndpoint,
  type EndpointSpec,
  endpointSchema,
  OPENAI_URL,
} from './endpoint-spec.ts';
import { explainFault } from './explain-fault.ts';
import { type Feature, Features } from './features.ts';
import { type RequestFault, Sender } from './send-request.ts';

export interface EndpointOptions {
  /** Where keys are read from (default: the process's environment). */
  environment?: NodeJS.ProcessEnv;
  /** Default: what the spec allows. */
  budget?: Budget;
  /** Reports what the endpoint does not accept, and long waits. */
  notice?: (text: string, code: string) => void;
  clock?: Clock;
  /** From 0 to 1, for the length of waits (default: Math.random). */
  random?: () => number;
}

export interface CompleteOptions {
  /** Default: that of the spec. */
  maxTokens?: number;
  /** Default: that of the spec. */
  temperature?: number;
  seed?: number;
  stop?: readonly string[];
  /** Asks for log-probabilities of the tokens. */
  logprobs?: boolean;
  /** Asks for JSON that fits a schema. */
  schema?: { name: string; schema: object };
  /**
   * What must not be left out. Anything else that the endpoint does not accept is left out, and
   * `tokens` is null if it gives no log-probabilities.
   */
  insist?: readonly Feature[];
  signal?: AbortSignal;
}

/** First wait before a repetition, in milliseconds; each further one is twice as long. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;
/** A server that asks for a longer wait is not waited for. */
const LONGEST_ASKED = 600_000;
/** Waits from here on are reported. */
const REPORTED_WAIT = 5000;
/** After this many requests in a row failed, each with all repetitions, no more are made. */
const MOST_FAILED = 5;
/** Parameters that an endpoint can refuse, one at a time. */
const MOST_ADAPTED = 12;

/** A client of one OpenAI-compatible endpoint. */
export class EndpointClient {
  readonly baseUrl: string;
  readonly model: string;
  readonly features: Features;
  readonly #spec: CheckedEndpoint;
  readonly #key: ApiKey | null;
  readonly #sender: Sender;
  readonly #budget: Budget;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #notice: (text: string, code: string) => void;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #noticed = new Set<string>();
  /** Requests in a row that failed. */
  #failed = 0;
  #answered = false;
  /** Before this time, no request is made: the server asked to wait. */
  #notBefore = 0;

  /** @throws ConfigError if the key's variable is not set */
  constructor(spec: CheckedEndpoint, options: EndpointOptions = {}) {
    const { environment = process.env, clock = systemClock, notice = () => {} } = options;
    const { timeout, concurrency } = spec;
    this.#spec = spec;
    this.model = spec.model;
    this.baseUrl = baseUrlOf(spec, environment);
    this.features = new Features(this.baseUrl === OPENAI_URL);
    this.#key = readApiKey(spec, environment);
    this.#sender = new Sender({ baseUrl: this.baseUrl, key: this.#key, timeout, clock });
    this.#budget = options.budget ?? new Budget(spec.budget, spec.prices);
    this.#clock = clock;
    this.#random = options.random ?? Math.random;
    this.#notice = notice;
    this.#limit = pLimit(concurrency);
  }

  /** `MODEL at URL`, for messages. */
  get name(): string {
    return `${this.model} at ${this.baseUrl}`;
  }

  /** What all calls used so far. */
  get spent(): Spending {
    return this.#budget.spent;
  }

  /**
   * Asks the model to continue a chat. Failed requests are repeated.
   * @throws EndpointError if there is no completion
   * @throws BudgetError if the call does not fit into the budget; calls in flight finish
   * @throws the signal's reason once it is aborted
   */
  complete(messages: readonly Message[], options: CompleteOptions = {}): Promise<Completion> {
    return this.#limit(async () => {
      options.signal?.throwIfAborted();
      const most = this.#most(messages, options);
      const admission = await this.#budget.admit(most, options.signal);
      const charge = new Charge(admission, most.prompt);
      try {
        const read = await this.#repeat(messages, options, charge);
        const estimated = read.usage === null;
        const guess = { prompt: most.prompt, answer: estimateTokens(read.text) };
        const completion = { ...read, usage: read.usage ?? guess, estimated };
        charge.completed(completion);
        if (estimated) {
          this.#noticeOnce(
            `${this.name}: the endpoint reports no usage, so tokens and costs are estimates`,
            'endpoint-usage',
          );
        }
        return completion;
      } finally {
        charge.end();
      }
    });
  }

  async #repeat(
    messages: readonly Message[],
    options: CompleteOptions,
    charge: Charge,
  ): Promise<ReadCompletion> {
    let adapted = 0;
    for (let attempts = 1; ; ) {
      if (this.#failed >= MOST_FAILED) throw this.#given(attempts);
      await this.#pause(options.signal);
      const body = this.#body(messages, options);
      const outcome = await this.#sender.send(body, options.signal);
      if ('completion' in outcome) {
        this.#failed = 0;
        this.#answered = true;
        return this.#checked(outcome.completion, body, options);
      }
      const { fault } = outcome;
      if (fault.kind !== 'status' && fault.kind !== 'unreachable') charge.lost();
      if (adapted < MOST_ADAPTED && this.#adapt(fault, body, options)) {
        adapted += 1;
        continue;
      }
      const error = this.#errorOf(fault, attempts);
      const waited = error.transient ? this.#waitFor(fault, attempts) : null;
      if (waited === null || attempts > this.#spec.retries) {
        if (error.transient) this.#failed += 1;
        throw error;
      }
      if (waited >= REPORTED_WAIT) {
        const seconds = Math.round(waited / 1000);
        this.#notice(`${error.message}. Waiting ${seconds} s`, 'endpoint-wait');
      }
      attempts += 1;
      if (fault.kind === 'status' && fault.status === 429) {
        this.#notBefore = Math.max(this.#notBefore, this.#clock.now() + waited);
      } else {
        await this.#clock.wait(waited, options.signal);
      }
    }
  }

  #body(messages: readonly Message[], options: CompleteOptions): Record<string, unknown> {
    const { model, extra_body } = this.#spec;
    const { temperature = this.#spec.temperature, seed = this.#spec.seed } = options;
    const { maxTokens = this.#spec.max_tokens, stop, logprobs, schema } = options;
    const { features } = this;
    return {
      model,
      messages,
      ...(features.limit !== null && { [features.limit]: maxTokens }),
      ...(features.temperature && { temperature }),
      ...(features.seed && seed !== undefined && { seed }),
      ...(features.stop && stop !== undefined && { stop }),
      ...(logprobs &&
        features.topLogprobs > 0 && { logprobs: true, top_logprobs: features.topLogprobs }),
      ...(schema !== undefined &&
        features.schema && {
          response_format: { type: 'json_schema', json_schema: { ...schema, strict: true } },
        }),
      ...extra_body,
    };
  }

  /** Notes that log-probabilities were asked for and ignored. */
  #checked(
    completion: ReadCompletion,
    body: Readonly<Record<string, unknown>>,
    { insist = [] }: CompleteOptions,
  ): ReadCompletion {
    if (completion.text === '' || body.logprobs !== true || completion.tokens !== null) {
      return completion;
    }
    this.features.topLogprobs = 0;
    this.#learnt('it gives no log-probabilities');
    if (insist.includes('logprobs')) throw this.#unsupported('logprobs');
    return completion;
  }

  /** Whether the request can be repeated without what the endpoint refused. */
  #adapt(
    fault: RequestFault,
    body: Readonly<Record<string, unknown>>,
    { insist = [] }: CompleteOptions,
  ): boolean {
    if (fault.kind !== 'status' || (fault.status !== 400 && fault.status !== 422)) return false;
    if (explainFault(fault, this.#context(1)).code !== 'rejected') return false;
    const change = this.features.adapt(fault.words, body);
    if (change === null) return false;
    this.#learnt(change);
    for (const feature of insist) {
      if (!this.features.has(feature)) throw this.#unsupported(feature);
    }
    return true;
  }

  #learnt(change: string): void {
    this.#noticeOnce(`${this.name}: ${change}`, 'endpoint-feature');
  }

  #noticeOnce(text: string, code: string): void {
    if (this.#noticed.has(text)) return;
    this.#noticed.add(text);
    this.#notice(text, code);
  }

  #unsupported(feature: Feature): EndpointError {
    const what = feature === 'logprobs' ? 'log-probabilities' : 'a JSON schema';
    return new EndpointError(`${this.name}: the endpoint does not support ${what}`, {
      ...{ code: 'unsupported', scope: 'request', transient: false },
    });
  }

  #context(attempts: number) {
    const { name, baseUrl, model } = this;
    const { timeout, api_key_env } = this.#spec;
    const variable = this.#key?.variable ?? api_key_env ?? null;
    return { name, baseUrl, model, variable, timeout, attempts, answered: this.#answered };
  }

  #errorOf(fault: RequestFault, attempts: number): EndpointError {
    const { message, ...failure } = explainFault(fault, this.#context(attempts));
    return new EndpointError(message, { ...failure, attempts });
  }

  #given(attempts: number): EndpointError {
    return new EndpointError(
      `${this.name}: ${MOST_FAILED} requests in a row failed, each after ${this.#spec.retries + 1} attempts. Check the endpoint, and repeat the command: finished verdicts are cached`,
      { code: 'server-error', scope: 'endpoint', transient: true, attempts },
    );
  }

  /** Milliseconds to wait before the next attempt; null if that is too long. */
  #waitFor(fault: RequestFault, attempts: number): number | null {
    const asked = fault.kind === 'status' ? fault.retryAfter : null;
    if (asked !== null && asked > LONGEST_ASKED) return null;
    const longest = Math.min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT);
    // Clients that failed together do not come back together.
    const own = longest * (0.5 + 0.5 * this.#random());
    return asked === null ? own : asked + own * 0.1;
  }

  async #pause(signal: AbortSignal | undefined): Promise<void> {
    for (let left = this.#left(); left > 0; left = this.#left()) {
      await this.#clock.wait(left, signal);
    }
  }

  #left(): number {
    return this.#notBefore - this.#clock.now();
  }

  /** The most tokens that a call can use. */
  #most(messages: readonly Message[], { maxTokens, schema }: CompleteOptions): TokenCount {
    const texts = messages.map((message) => textOf(message));
    const given = schema === undefined ? '' : JSON.stringify(schema);
    return {
      prompt: estimateTokens([...texts, given].join('')) + 8 * messages.length,
      answer: maxTokens ?? this.#spec.max_tokens,
    };
  }
}

/**
 * Opens a client of an endpoint.
 * @throws ConfigError if the key's variable is not set
 */
export const openEndpoint = (spec: EndpointSpec, options: EndpointOptions = {}): EndpointClient =>
  new EndpointClient(endpointSchema.parse(spec), options);

/** Tokens of a text, rather too many than too few: English has about 4 bytes in each. */
const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 3);

/** What one call is charged, with its repetitions. */
class Charge {
  readonly #admission: Admission;
  readonly #prompt: number;
  #tokens: TokenCount = { prompt: 0, answer: 0 };
  #estimated = false;

  constructor(admission: Admission, prompt: number) {
    this.#admission = admission;
    this.#prompt = prompt;
  }

  /** The endpoint may have read the prompt and charge for it. */
  lost(): void {
    this.#estimated = true;
    this.#tokens.prompt += this.#prompt;
  }

  completed({ usage, estimated }: Completion): void {
    this.#estimated ||= estimated;
    this.#tokens.prompt += usage.prompt;
    this.#tokens.answer += usage.answer;
  }

  end(): void {
    const { prompt, answer } = this.#tokens;
    if (prompt + answer === 0) this.#admission.release();
    else this.#admission.charge(this.#tokens, this.#estimated);
  }
}
