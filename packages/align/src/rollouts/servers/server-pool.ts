// Several servers that sample the answers of a batch. One that fails is left out for the rest of
// the batch, and asked again for the next one.

import { findServer } from './find-server.ts';
import {
  type PolicyFacts,
  type RolloutServer,
  type SampleRequest,
  type ServerAnswer,
  ServerFault,
  type ServerPrompt,
  type ServerSampling,
  WrongServerError,
} from './rollout-server.ts';
import type { ServerHttpParts } from './server-http.ts';

export interface ServerPoolParts extends Omit<ServerHttpParts, 'url'> {
  /** Addresses of the servers. */
  addresses: readonly string[];
  facts: PolicyFacts;
  /** Answers that each server samples at the same time. */
  samplesInFlight: number;
  notice?(text: string): void;
}

/** An adapter that the servers sample with. */
export interface ServerAdapter {
  name: string;
  folder: string;
}

/** Servers that are left out, and what each said. */
export type Failures = ReadonlyMap<string, string>;

interface Entry {
  readonly address: string;
  /** null: its kind is not known, or it failed since. */
  server: RolloutServer | null;
  /** Adapters that it has loaded since it was found. */
  readonly loaded: Set<string>;
  /** Whether it failed since it was found: the other servers do not wait for it long. */
  failed: boolean;
}

/** No server is left that could sample. */
export class NoServerError extends Error {
  override readonly name = 'NoServerError';
}

export class ServerPool {
  readonly #parts: ServerPoolParts;
  readonly #entries: readonly Entry[];

  constructor(parts: ServerPoolParts) {
    this.#parts = parts;
    this.#entries = parts.addresses.map((address) => ({
      ...{ address, server: null, loaded: new Set<string>(), failed: false },
    }));
  }

  /**
   * Asks every server, and has it load the adapter.
   * @param adapter null: the base answers
   * @returns the servers that are left out of the batch
   * @throws NoServerError if all are, WrongServerError for a server of another model
   */
  async ready(adapter: ServerAdapter | null, signal?: AbortSignal): Promise<Failures> {
    const failures = new Map<string, string>();
    await this.#each(failures, async (entry) => {
      const server = await this.#find(entry, signal);
      if (adapter === null || entry.loaded.has(adapter.name)) return;
      await server.loadAdapter(adapter.name, adapter.folder, signal);
      entry.loaded.add(adapter.name);
    });
    this.#refuseIfNone(failures);
    return failures;
  }

  /**
   * All answers to each prompt.
   * @param adapter that is loaded; null: the base answers
   * @param failures servers that are left out; those that fail are added
   * @throws NoServerError if no server is left, WrongServerError for a server of another model
   */
  async sample(
    prompts: readonly ServerPrompt[],
    {
      adapter,
      sampling,
      seed,
      failures: before,
    }: {
      adapter: string | null;
      sampling: ServerSampling;
      seed: number;
      failures: Failures;
    },
    signal?: AbortSignal,
  ): Promise<ServerAnswer[][]> {
    const { facts, samplesInFlight } = this.#parts;
    const failures = new Map(before);
    const answers: ServerAnswer[][] = [];
    const waiting = prompts.map((_, at) => at);
    const together = Math.max(1, Math.floor(samplesInFlight / sampling.samplesPerPrompt));
    // A prompt whose server failed waits again, also after the other servers found nothing to do.
    while (waiting.length > 0) {
      this.#refuseIfNone(failures);
      await this.#each(failures, async (entry) => {
        const server = await this.#find(entry, signal);
        const ask = async (): Promise<void> => {
          while (waiting.length > 0 && !failures.has(entry.address)) {
            const at = waiting.shift()!;
            const request: SampleRequest = { prompt: prompts[at]!, sampling, seed, adapter };
            try {
              answers[at] = await server.sample(request, facts, signal);
            } catch (error) {
              waiting.unshift(at);
              if (error instanceof ServerFault) this.#leaveOut(entry, error, failures);
              throw error;
            }
          }
        };
        const asked = await Promise.allSettled(Array.from({ length: together }, ask));
        const failed = asked.find((one) => one.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
      });
    }
    return answers;
  }

  /** Unloads an adapter everywhere. A server that does not answer has nothing to unload. */
  async unload(name: string, signal?: AbortSignal): Promise<void> {
    const unload = async ({ server, loaded }: Entry): Promise<void> => {
      if (server === null || !loaded.delete(name)) return;
      await server.unloadAdapter(name, signal);
    };
    await Promise.all(this.#entries.map((entry) => withoutFaults(unload(entry))));
  }

  /** Unloads the adapters of these names that an earlier process left behind. */
  async unloadLeftovers(isOwn: (name: string) => boolean, signal?: AbortSignal): Promise<void> {
    const unload = async ({ server, loaded }: Entry): Promise<void> => {
      const names = (await server?.adapters(signal)) ?? [];
      const left = names.filter((name) => isOwn(name) && !loaded.has(name));
      for (const name of left) await server!.unloadAdapter(name, signal);
    };
    await Promise.all(this.#entries.map((entry) => withoutFaults(unload(entry))));
  }

  /** Runs `work` for every server that is not left out, and leaves out those that fail. */
  async #each(failures: Map<string, string>, work: (entry: Entry) => Promise<void>): Promise<void> {
    const live = this.#entries.filter(({ address }) => !failures.has(address));
    const ended = await Promise.allSettled(live.map(work));
    for (const [at, one] of ended.entries()) {
      if (one.status === 'fulfilled') continue;
      const { address } = live[at]!;
      const error: unknown = one.reason;
      if (error instanceof WrongServerError) {
        throw new WrongServerError(
          `the rollout server ${address} cannot be used: ${error.message}`,
        );
      }
      if (!(error instanceof ServerFault)) throw error;
      this.#leaveOut(live[at]!, error, failures);
    }
  }

  async #find(entry: Entry, signal?: AbortSignal): Promise<RolloutServer> {
    if (entry.server !== null) return entry.server;
    const { facts, notice } = this.#parts;
    const parts = entry.failed ? { ...this.#parts, attempts: 1 } : this.#parts;
    const server = await findServer(entry.address, parts, signal);
    const unknown = await server.check(facts, signal);
    for (const one of unknown) notice?.(`the rollout server ${entry.address}: ${one}`);
    // It may have been started again since its adapters were loaded.
    entry.loaded.clear();
    entry.server = server;
    entry.failed = false;
    return server;
  }

  #leaveOut(entry: Entry, { message }: ServerFault, failures: Map<string, string>): void {
    entry.server = null;
    entry.failed = true;
    if (failures.has(entry.address)) return;
    failures.set(entry.address, message);
    if (failures.size === this.#entries.length) return;
    this.#parts.notice?.(
      `the rollout server ${entry.address} is left out of this batch: ${message}`,
    );
  }

  #refuseIfNone(failures: Failures): void {
    if (failures.size < this.#entries.length) return;
    const said = [...failures].map(([address, why]) => `\n  ${address}: ${why}`);
    throw new NoServerError(
      `no rollout server could sample:${said.join('')}\nStart a server, and continue with --resume`,
    );
  }
}

async function withoutFaults(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ServerFault)) throw error;
  }
}
