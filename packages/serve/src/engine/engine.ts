// Runs one batch for all requests: they join between two steps, each with its own options.
import { setImmediate as breathe } from 'node:timers/promises';
import type { GenerateOptions, GenerationEvent, LanguageModel } from '@keel/model';
import { BatchInFlight, checkOptions, checkPrompts } from '@keel/model/internal';
import { ApiError } from '../api-error.ts';
import { EventQueue } from './event-queue.ts';

export interface EngineLimits {
  /** Answers that are generated together. */
  batchSize: number;
  /** Answers that may wait for a place in the batch. */
  queueSize: number;
  /** Prompt tokens in one pass. */
  prefillTokens: number;
  /** Prompt tokens that stay in memory, so that later prompts which start alike reuse them. */
  retainedTokens: number;
}

/** What the engine reports of each request. */
export interface EngineObserver {
  prompt(tokens: number, reused: number): void;
  firstToken(seconds: number): void;
  token(): void;
  answer(finishReason: string): void;
  /** All answers of a request are complete. */
  request(seconds: number): void;
  failed(error: unknown): void;
}

/** Prompts that are answered together; `promptIndex` of the events is their index. */
export interface Generation extends AsyncIterable<GenerationEvent> {
  /** Prompt tokens that were not computed again, once all prompts are computed. */
  readonly reusedTokens: number;
}

interface Running {
  readonly queue: EventQueue<GenerationEvent>;
  readonly index: number;
  readonly state: RequestState;
}

interface RequestState {
  readonly started: number;
  /** Answers that are not complete. */
  left: number;
  begun: boolean;
  reusedTokens: number;
  release(): void;
}

export class Engine {
  readonly model: LanguageModel;
  readonly limits: EngineLimits;
  readonly #observer: EngineObserver;
  #batch: BatchInFlight;
  #nextId = 0;
  readonly #running = new Map<number, Running>();
  #loop: Promise<void> | null = null;
  #closing = false;
  /** Smoothed seconds from the start of a request to its end. */
  #pace = 1;

  constructor(model: LanguageModel, limits: EngineLimits, observer: EngineObserver) {
    this.model = model;
    this.limits = limits;
    this.#observer = observer;
    this.#batch = new BatchInFlight(model, limits);
  }

  /** Answers in flight and waiting, and prompt tokens that are retained. */
  get counts(): { live: number; waiting: number; retained: number } {
    return this.#batch.counts;
  }

  /**
   * Generates answers to prompts. The caller must read the events, or abort the signal, which ends
   * the answers.
   * @param release called once, when nothing of the request runs any more
   * @throws ApiError 429 if too many answers wait, 503 while the server stops; RangeError naming
   *   an option or a prompt that cannot be used
   */
  submit(
    prompts: readonly (readonly number[])[],
    options: GenerateOptions,
    { signal, release = () => {} }: { signal: AbortSignal; release?: () => void },
  ): Generation {
    const { tokenizer, decoder } = this.model;
    const checked = checkOptions(options, tokenizer);
    checkPrompts(prompts, decoder);
    const answers = prompts.length * checked.samplesPerPrompt;
    this.#refuseIfFull(answers);
    const queue = new EventQueue<GenerationEvent>();
    const state: RequestState = {
      ...{ started: performance.now(), left: answers, begun: false, reusedTokens: 0 },
      release,
    };
    const ids = prompts.map((tokens, index) => {
      const promptIndex = this.#nextId++;
      this.#running.set(promptIndex, { queue, index, state });
      this.#batch.add({
        ...{ promptIndex, tokens, options: checked },
        // As in `keel generate`, where a single prompt has index 0.
        draws: { seed: checked.seed, promptIndex: checked.firstIndex + index },
        computed: (reused) => {
          state.reusedTokens += reused;
          this.#observer.prompt(tokens.length, reused);
        },
      });
      return promptIndex;
    });
    const leave = (): void => this.#abort(new Set(ids));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    this.#loop ??= this.#run();
    return {
      [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
      get reusedTokens() {
        return state.reusedTokens;
      },
    };
  }

  /** Releases what was computed with an adapter. None of its answers may be in flight. */
  forgetAdapter(adapter: string): void {
    this.#batch.forgetAdapter(adapter);
  }

  /**
   * Accepts no more requests, and resolves when those in flight are complete.
   * @param signal ends them at once
   */
  async close(signal?: AbortSignal): Promise<void> {
    this.#closing = true;
    const leave = (): void => this.#abort(new Set(this.#running.keys()));
    if (signal?.aborted) leave();
    signal?.addEventListener('abort', leave, { once: true });
    await this.#loop;
    this.#batch.dispose();
  }

  #refuseIfFull(answers: number): void {
    if (this.#closing) {
      throw new ApiError(503, 'The server is stopping. Send the request to another one', {
        retryAfter: 5,
      });
    }
    const { batchSize, queueSize } = this.limits;
    const { live, waiting } = this.#batch.counts;
    const room = Math.max(0, batchSize - live) + queueSize - waiting;
    if (answers <= room) return;
    if (answers > batchSize + queueSize) {
      throw new ApiError(
        400,
        `The request asks for ${answers} answers, but the server takes at most ${batchSize + queueSize} at a time. Ask for fewer, or start it with a larger --queue`,
        { param: 'n' },
      );
    }
    const turns = Math.ceil((waiting + answers) / batchSize);
    throw new ApiError(
      429,
      `${waiting} answers already wait, and at most ${queueSize} may. Try again later`,
      { code: 'queue_full', retryAfter: Math.min(60, Math.max(1, Math.ceil(turns * this.#pace))) },
    );
  }

  async #run(): Promise<void> {
    // Requests of the same turn of the event loop start together.
    await breathe();
    while (!this.#batch.finished) {
      try {
        this.#deliver(this.#batch.hasPlace ? this.#batch.admit() : this.#batch.advance());
      } catch (error) {
        this.#fail(error);
      }
      // Requests arrive, and events are sent, between two steps.
      await breathe();
    }
    this.#loop = null;
  }

  #deliver(events: readonly GenerationEvent[]): void {
    for (const event of events) {
      const running = this.#running.get(event.promptIndex);
      if (running === undefined) continue;
      const { queue, index, state } = running;
      if (event.type === 'token') this.#countToken(state);
      queue.push({ ...event, promptIndex: index });
      if (event.type !== 'done') continue;
      this.#observer.answer(event.result.finishReason);
      state.left -= 1;
      if (state.left === 0) this.#complete(queue, state);
    }
  }

  #countToken(state: RequestState): void {
    this.#observer.token();
    if (state.begun) return;
    state.begun = true;
    this.#observer.firstToken((performance.now() - state.started) / 1000);
  }

  #complete(queue: EventQueue<GenerationEvent>, state: RequestState, error?: unknown): void {
    for (const [id, running] of this.#running)
      if (running.queue === queue) this.#running.delete(id);
    const seconds = (performance.now() - state.started) / 1000;
    this.#pace += 0.2 * (seconds - this.#pace);
    this.#observer.request(seconds);
    queue.end(error);
    state.release();
  }

  #abort(ids: ReadonlySet<number>): void {
    this.#deliver(this.#batch.abort(({ promptIndex }) => ids.has(promptIndex)));
  }

  /** A step failed: what it was computing is lost, and new requests start from nothing. */
  #fail(error: unknown): void {
    this.#observer.failed(error);
    this.#batch.dispose();
    this.#batch = new BatchInFlight(this.model, this.limits);
    for (const [queue, state] of new Map(
      [...this.#running.values()].map((r) => [r.queue, r.state]),
    ))
      this.#complete(queue, state, error);
  }
}
