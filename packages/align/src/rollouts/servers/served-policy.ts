// Sampling on servers: before a batch, the policy's adapter is written for them as a new version.
// The processes of a run share the prompts; the first one writes and loads the adapter.
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type LanguageModel, makeFolder, type Role, saveAdapter } from '@keel/model';
import { removePartials, writeFolderAtomic } from '../../files/atomic-write.ts';
import { workers } from '../../sharing/workers.ts';
import type { PolicyFacts, ServerAnswer, ServerPrompt, ServerSampling } from './rollout-server.ts';
import { type Failures, type ServerAdapter, ServerPool } from './server-pool.ts';

export interface ServedPolicyParts {
  model: LanguageModel;
  /** Addresses of the servers. */
  addresses: readonly string[];
  /** Where adapters are written; the servers must see it under the same path. */
  folder: string;
  /** The run's folder, which distinguishes its adapters from those of other runs. */
  run: string;
  /** Answers that each server samples at the same time. */
  samplesInFlight: number;
  /** Seconds for a request. */
  timeout: number;
  /** Whether answers are drawn from another distribution than the model's own. */
  shapesDistribution: boolean;
  /** Where the servers' key is read from (default: the process's environment). */
  environment?: NodeJS.ProcessEnv;
  notice?(text: string): void;
}

/** Weights that the servers have. */
export interface Served {
  /** null: the base. */
  readonly adapter: string | null;
  readonly failures: Failures;
}

/** The environment variable with the key of the servers. */
export const ROLLOUT_KEY = 'KEEL_ROLLOUT_API_KEY';

const PROBE = 'The 3 cats cost $12.50;\n  do not ask (why)?';

export class ServedPolicy implements AsyncDisposable {
  readonly #parts: ServedPolicyParts;
  readonly #pool: ServerPool;
  /** Part of the names of this run's adapters. */
  readonly #run: string;
  /**
   * Part of the names of this process's adapters: a server may have computed prompts with an
   * adapter of the same version and other weights.
   */
  readonly #process: string;
  /** Adapters that exist for the servers, and how many batches are sampled with each now. */
  readonly #users = new Map<string, number>();
  readonly #closing = new AbortController();

  private constructor(parts: ServedPolicyParts, pool: ServerPool, [run, own]: [string, string]) {
    this.#parts = parts;
    this.#pool = pool;
    this.#run = run;
    this.#process = own;
  }

  /**
   * Asks the servers what they are, and compares their model with the policy.
   * @throws NoServerError if none answers, WrongServerError if one serves another model
   */
  static async open(parts: ServedPolicyParts, signal?: AbortSignal): Promise<ServedPolicy> {
    const { model, addresses, samplesInFlight, timeout, notice, folder } = parts;
    const { tokenizer, decoder } = model;
    const facts: PolicyFacts = {
      vocabularySize: decoder.config.vocabularySize,
      endTokens: new Set(tokenizer.endOfTurnIds),
      probe: { text: PROBE, tokens: tokenizer.encode(PROBE) },
      baseHash: await model.hash(),
      shapesDistribution: parts.shapesDistribution,
    };
    const key = (parts.environment ?? process.env)[ROLLOUT_KEY]?.trim() || null;
    const pool = new ServerPool({
      ...{ addresses, facts, samplesInFlight, timeout, key, ...(notice && { notice }) },
    });
    // The other processes have other folders.
    const policy = new ServedPolicy(parts, pool, await onFirst(async () => namesOf(parts.run)));
    await onFirst(async () => {
      await pool.ready(null, signal);
      await pool.unloadLeftovers((name) => policy.#isOwn(name), signal);
      makeFolder(folder);
      await removePartials(folder);
      for (const name of readdirSync(folder)) if (policy.#isOwn(name)) policy.#remove(name);
      return null;
    });
    return policy;
  }

  /**
   * Gives the servers a role's weights as they are now. All processes call it together.
   * @param version of the weights: those of the same role and version are written once
   * @param from the role that has these weights (default: `role`)
   * @throws NoServerError, WrongServerError
   */
  async publish(
    { role, version, from = role }: { role: Role; version: number; from?: Role | undefined },
    signal?: AbortSignal,
  ): Promise<Served> {
    const adapter = role === 'reference' ? null : this.#adapterOf(role, version);
    const failed = await onFirst(async () => {
      if (adapter !== null && !this.#users.has(adapter.name)) await this.#write(from, adapter);
      return [...(await this.#pool.ready(adapter, signal))];
    });
    if (adapter !== null) {
      const { name } = adapter;
      this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
      await this.#retire(this.#family(role), name, signal);
    }
    return { adapter: adapter?.name ?? null, failures: new Map(failed) };
  }

  /** All answers to each prompt, of this process's share. @throws like `publish` */
  sample(
    prompts: readonly ServerPrompt[],
    { adapter, failures }: Served,
    how: { sampling: ServerSampling; seed: number },
    signal?: AbortSignal,
  ): Promise<ServerAnswer[][]> {
    const closing = this.#closing.signal;
    const ends = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    return this.#pool.sample(prompts, { ...how, adapter, failures }, ends);
  }

  /** Nothing is sampled with these weights any more, in any process. */
  release({ adapter }: Served): void {
    if (adapter !== null) this.#users.set(adapter, Math.max(0, this.#users.get(adapter)! - 1));
  }

  /** Ends what is being sampled. Servers and folder have no adapter of this run then. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the run has ended'));
    if (!isFirst()) return;
    for (const name of this.#users.keys()) {
      await this.#pool.unload(name);
      this.#remove(name);
    }
    this.#users.clear();
  }

  /** Older versions of a role go once nothing is sampled with them. */
  async #retire(family: string, newest: string, signal?: AbortSignal): Promise<void> {
    for (const [name, users] of [...this.#users]) {
      if (name === newest || users > 0 || !name.startsWith(family)) continue;
      this.#users.delete(name);
      if (!isFirst()) continue;
      await this.#pool.unload(name, signal);
      this.#remove(name);
    }
  }

  async #write(role: Role, { folder }: ServerAdapter): Promise<void> {
    const { model } = this.#parts;
    const base = { baseModel: model.name, baseHash: await model.hash() };
    await writeFolderAtomic(folder, (into) => saveAdapter(into, model.decoder, role, base));
  }

  #adapterOf(role: Role, version: number): ServerAdapter {
    const name = `${this.#family(role)}-${version}`;
    return { name, folder: resolve(this.#parts.folder, name) };
  }

  #family(role: Role): string {
    return `${role}-${this.#run}-${this.#process}`;
  }

  #isOwn(name: string): boolean {
    return new RegExp(`^\\w+-${this.#run}-[0-9a-f]{4}-\\d+$`).test(name);
  }

  #remove(name: string): void {
    rmSync(join(this.#parts.folder, name), { recursive: true, force: true });
  }
}

/** What distinguishes the names of adapters from those of other runs and other processes. */
function namesOf(run: string): [run: string, process: string] {
  const digest = createHash('sha256').update(resolve(run)).digest('hex');
  return [digest.slice(0, 6), randomBytes(2).toString('hex')];
}

const isFirst = (): boolean => (workers()?.rank ?? 0) === 0;

/** What the first process found, on all of them. */
function onFirst<T>(work: () => Promise<T>): Promise<T> {
  return workers()?.fromFirst(work) ?? work();
}
