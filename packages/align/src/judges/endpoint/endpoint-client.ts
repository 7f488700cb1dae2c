import pLimit from 'p-limit';
import type { Message } from '../../data/messages.ts';
import { type ApiKey, readApiKey } from './api-key.ts';
import { Budget } from './budget.ts';
import { Charge, estimateTokens } from './charge.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Completion } from './completion.ts';
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
import { type CompleteOptions, mostTokens, requestBody } from './request-body.ts';
import { retryWait } from './retry-wait.ts';
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
  /** Until this time, a notice has said that requests wait. */
  #reportedUntil = 0;

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
      const most = mostTokens(messages, options, this.#spec);
      const admission = await this.#budget.admit(most, options.signal);
      const charge = new Charge(admission, most.prompt);
      try {
        return await this.#repeat(messages, options, most.prompt, charge);
      } finally {
        charge.end();
      }
    });
  }

  async #repeat(
    messages: readonly Message[],
    options: CompleteOptions,
    promptTokens: number,
    charge: Charge,
  ): Promise<Completion> {
    const { insist = [], signal } = options;
    let adapted = 0;
    for (let attempts = 1; ; ) {
      if (this.#failed >= MOST_FAILED) throw this.#endless(attempts);
      await this.#pause(signal);
      this.#refuseWithout(insist);
      const body = requestBody(messages, options, this.#spec, this.features);
      const outcome = await this.#sender.send(body, signal);
      if ('completion' in outcome) {
        this.#failed = 0;
        this.#answered = true;
        const { completion: read } = outcome;
        const guess = { prompt: promptTokens, answer: estimateTokens(read.text) };
        const estimated = read.usage === null;
        const completion = { ...read, usage: read.usage ?? guess, estimated };
        charge.answered(completion);
        this.#look(completion, body);
        this.#refuseWithout(insist);
        return completion;
      }
      const { fault } = outcome;
      if (fault.kind !== 'status' && fault.kind !== 'unreachable') charge.lost();
      if (adapted < MOST_ADAPTED && this.#adapt(fault, body)) {
        adapted += 1;
        continue;
      }
      const error = this.#errorOf(fault, attempts);
      const asked = fault.kind === 'status' ? fault.retryAfter : null;
      const waited = error.transient ? retryWait(attempts, asked, this.#random()) : null;
      if (waited === null || attempts > this.#spec.retries) {
        if (error.transient) this.#failed += 1;
        throw error;
      }
      this.#reportWait(error.message, waited);
      attempts += 1;
      if (fault.kind === 'status' && fault.status === 429) {
        this.#notBefore = Math.max(this.#notBefore, this.#clock.now() + waited);
      } else {
        await this.#clock.wait(waited, signal);
      }
    }
  }

  /** Requests that wait at the same time are one notice. */
  #reportWait(why: string, milliseconds: number): void {
    const now = this.#clock.now();
    if (milliseconds < REPORTED_WAIT || now < this.#reportedUntil) return;
    this.#reportedUntil = now + milliseconds;
    this.#notice(`${why}. Waiting ${Math.round(milliseconds / 1000)} s`, 'endpoint-wait');
  }

  /** Notes what the endpoint ignores. */
  #look({ text, tokens, estimated }: Completion, body: Readonly<Record<string, unknown>>): void {
    if (estimated) {
      this.#noticeOnce(
        `${this.name}: the endpoint reports no usage, so tokens and costs are estimates`,
        'endpoint-usage',
      );
    }
    if (text === '' || body.logprobs !== true || tokens !== null) return;
    this.features.topLogprobs = 0;
    this.#learnt('it gives no log-probabilities');
  }

  /** Whether the request can be repeated without what the endpoint refused. */
  #adapt(fault: RequestFault, body: Readonly<Record<string, unknown>>): boolean {
    if (fault.kind !== 'status' || (fault.status !== 400 && fault.status !== 422)) return false;
    if (explainFault(fault, this.#context(1)).code !== 'rejected') return false;
    const change = this.features.adapt(fault.words, body);
    if (change !== null) this.#learnt(change);
    return change !== null;
  }

  /** @throws EndpointError if the endpoint is known not to support one of these */
  #refuseWithout(features: readonly Feature[]): void {
    const missing = features.find((feature) => !this.features.has(feature));
    if (missing === undefined) return;
    const what = missing === 'logprobs' ? 'log-probabilities' : 'a JSON schema';
    throw new EndpointError(`${this.name}: the endpoint does not support ${what}`, {
      ...{ code: 'unsupported', scope: 'request', transient: false },
    });
  }

  #learnt(change: string): void {
    this.#noticeOnce(`${this.name}: ${change}`, 'endpoint-feature');
  }

  #noticeOnce(text: string, code: string): void {
    if (this.#noticed.has(text)) return;
    this.#noticed.add(text);
    this.#notice(text, code);
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

  #endless(attempts: number): EndpointError {
    return new EndpointError(
      `${this.name}: ${MOST_FAILED} requests in a row failed, each after ${this.#spec.retries + 1} attempts. Check the endpoint, and repeat the command: finished verdicts are cached`,
      { code: 'server-error', scope: 'endpoint', transient: true, attempts },
    );
  }

  async #pause(signal: AbortSignal | undefined): Promise<void> {
    for (let left = this.#left(); left > 0; left = this.#left()) {
      await this.#clock.wait(left, signal);
    }
  }

  #left(): number {
    return this.#notBefore - this.#clock.now();
  }
}

/**
 * Opens a client of an endpoint.
 * @throws ConfigError if the key's variable is not set
 */
export const openEndpoint = (spec: EndpointSpec, options: EndpointOptions = {}): EndpointClient =>
  new EndpointClient(endpointSchema.parse(spec), options);
