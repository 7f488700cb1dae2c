import type { Judge, JudgedAnswer, JudgedPair, JudgeUsage } from '../judge.ts';
import { isNoVerdict, noUsage } from '../judgements.ts';
import { questionKey } from './question-key.ts';
import { SharedWork } from './shared-work.ts';
import { type Verdict, VerdictStore } from './verdict-store.ts';

export interface CacheOptions {
  /** Whether to ask again where the cached reply had no verdict (default: false). */
  retryFailed?: boolean;
  /** Reports damaged files, and that the cache cannot be written. */
  notice?: (text: string, code: string) => void;
}

/** How often the cache had what was asked for. */
export interface CacheCounts {
  /** Verdicts that were cached. */
  hits: number;
  /** Verdicts that the judge was asked for. */
  misses: number;
  /** Questions that were being asked already. */
  shared: number;
  /** What the hits cost when they were asked. */
  saved: JudgeUsage;
}

/** A judge whose verdicts are cached. */
export interface CachedJudge extends Judge {
  readonly counts: CacheCounts;
}

/**
 * Caches a judge's verdicts in a folder, by the judge's identity and everything that is asked. A
 * verdict from the cache has no usage, because it cost nothing. Replies without a verdict are
 * cached too; what may be different next time is not.
 * @param folder can be shared by judges and processes; it is created with the first verdict
 */
export function withCache(judge: Judge, folder: string, options: CacheOptions = {}): CachedJudge {
  const cache = new Cache(judge, folder, options);
  const { compare, rate } = judge;
  return {
    name: judge.name,
    identity: judge.identity,
    concurrency: judge.concurrency,
    seesOrder: judge.seesOrder,
    isAskedInWords: judge.isAskedInWords === true,
    get counts() {
      return cache.counts;
    },
    ...(compare !== undefined && {
      compare: (pair: JudgedPair, signal?: AbortSignal) =>
        cache.find(pair, (own) => compare.call(judge, pair, own), signal),
    }),
    ...(rate !== undefined && {
      rate: (answer: JudgedAnswer, signal?: AbortSignal) =>
        cache.find(answer, (own) => rate.call(judge, answer, own), signal),
    }),
    async [Symbol.asyncDispose]() {
      cache.close();
      await judge[Symbol.asyncDispose]();
    },
  };
}

class Cache {
  readonly #judge: Judge;
  readonly #folder: string;
  readonly #options: CacheOptions;
  readonly #inFlight = new Map<string, SharedWork<Verdict>>();
  #store: VerdictStore | null = null;
  readonly #counts: CacheCounts = {
    ...{ hits: 0, misses: 0, shared: 0 },
    saved: { ...noUsage },
  };

  constructor(judge: Judge, folder: string, options: CacheOptions) {
    this.#judge = judge;
    this.#folder = folder;
    this.#options = options;
  }

  get counts(): CacheCounts {
    return { ...this.#counts, saved: { ...this.#counts.saved } };
  }

  /** @throws as `ask`, FileError if the cache cannot be read, the signal's reason once aborted */
  async find<Found extends Verdict>(
    asked: JudgedPair | JudgedAnswer,
    ask: (signal: AbortSignal) => Promise<Found>,
    signal?: AbortSignal,
  ): Promise<Found> {
    signal?.throwIfAborted();
    this.#store ??= new VerdictStore(this.#folder, this.#judge, this.#options.notice);
    const key = questionKey(asked);
    const flight = this.#inFlight.get(key);
    if (flight !== undefined && !flight.isAbandoned) {
      this.#counts.shared += 1;
      return free((await flight.wait(signal)) as Found);
    }
    const known = this.#store.get(key);
    if (known !== undefined && !(this.#options.retryFailed && isNoVerdict(known))) {
      this.#counts.hits += 1;
      this.#addSaved(known.usage);
      return free(known as Found);
    }
    this.#counts.misses += 1;
    const work = new SharedWork<Verdict>((own) => this.#ask(key, ask, own));
    this.#inFlight.set(key, work);
    void work.ended.then(() => {
      // Another caller may have asked again after all had left.
      if (this.#inFlight.get(key) === work) this.#inFlight.delete(key);
    });
    return (await work.wait(signal)) as Found;
  }

  close(): void {
    this.#store?.close();
  }

  async #ask(
    key: string,
    ask: (signal: AbortSignal) => Promise<Verdict>,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const verdict = await ask(signal);
    if (verdict.transient !== true) this.#store!.add(key, verdict);
    return verdict;
  }

  #addSaved({ promptTokens, answerTokens, cost }: JudgeUsage): void {
    const { saved } = this.#counts;
    saved.promptTokens += promptTokens;
    saved.answerTokens += answerTokens;
    saved.cost += cost;
  }
}

/** The verdict at no cost. */
const free = <Found extends Verdict>(verdict: Found): Found => ({ ...verdict, usage: noUsage });
