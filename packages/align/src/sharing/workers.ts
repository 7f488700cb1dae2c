// The processes of a run. Each does its share of the work of a step, and all have its result.
import { setTimeout } from 'node:timers/promises';
import {
  type AdamWOptions,
  Division,
  GradientExchange,
  type Optimiser,
  type ProcessGroup,
  processGroup,
  reduceGradients,
  ShardedAdamW,
  type Tensor,
} from '@keel/torch';
import { reviveError, type SentError, StoppedElsewhere, sentError } from './shared-error.ts';
import { packValue, unpackValue } from './shared-values.ts';

/** Where the gradients of a run are sent while backward computes others. */
const exchanges = new WeakMap<ProcessGroup, GradientExchange>();

/** What ends with the training whose gradients it is. */
export interface StepGradients extends Disposable {
  /** The gradients of a step become the sums over all ranks. */
  reduce(): Promise<void>;
}

/**
 * The processes that train together. All of them call the same functions in the same order. An
 * error in one is thrown in all.
 */
export class Workers {
  readonly #group: ProcessGroup;

  constructor(group: ProcessGroup) {
    this.#group = group;
  }

  get rank(): number {
    return this.#group.rank;
  }

  get size(): number {
    return this.#group.size;
  }

  /** The tensors that the processes divide among them. */
  get division(): Division {
    return Division.of(this.#group);
  }

  /** Bytes that this process has sent. */
  get bytes(): number {
    return this.#group.bytes;
  }

  /**
   * Runs `work` here, and waits for the others. Until they are done, this process takes part in
   * what they need of divided tensors.
   * @returns the results of all, in the order of ranks. This process's own is the value itself;
   *   the caller owns the tensors in the others'
   * @throws the error of the first rank that has one
   */
  async gather<T>(work: () => Promise<T> | T): Promise<T[]> {
    const own = await outcomeOf(work);
    await this.division.settle();
    const all = await this.#group.gatherBytes(packValue(own.sent));
    const values: T[] = [];
    for (const [rank, bytes] of all.entries()) {
      if (rank === this.rank) {
        if ('error' in own) throw own.error;
        values.push(own.value);
        continue;
      }
      values.push(receivedValue(bytes, rank) as T);
    }
    return values;
  }

  /** What rank 0 found, on all ranks, which wait for it as long as it takes. */
  async fromFirst<T>(work: () => Promise<T> | T): Promise<T> {
    const pending = this.rank === 0 ? outcomeOf(work) : null;
    // The deadline is that of a sign of life.
    const soon = async () =>
      pending &&
      (await Promise.race([pending, setTimeout(300 * this.#group.timeout, null, { ref: false })]));
    if (!this.division.isEmpty) {
      // The others take part in what rank 0 needs of divided tensors.
      while (this.rank === 0 && (await soon()) === null) await this.division.stayAlive();
      await this.division.settle();
    }
    for (;;) {
      const own = await soon();
      const sent = own ? packValue(own.sent) : new Uint8Array(0);
      const [first] = await this.#group.gatherBytes(sent);
      if (first!.length === 0) continue;
      if (own) {
        if ('error' in own) throw own.error;
        return own.value;
      }
      return receivedValue(first!, 0) as T;
    }
  }

  /** Whether it is true on any rank. */
  async any(flag: boolean): Promise<boolean> {
    return (await this.gather(() => flag)).includes(true);
  }

  /** An AdamW whose moments are divided among the processes, whether its parameters are or not. */
  shardedAdamW(parameters: Map<string, Tensor>, options: AdamWOptions): ShardedAdamW {
    return new ShardedAdamW(this.#group, parameters, options);
  }

  /**
   * The gradients of a training, which are sent as soon as they are whole (`gatherPasses`). All
   * processes call it.
   */
  async stepGradients(
    parameters: ReadonlyMap<string, Tensor>,
    optimiser: Optimiser,
  ): Promise<StepGradients> {
    const group = this.#group;
    const shared = optimiser instanceof ShardedAdamW;
    const exchange = shared
      ? await optimiser.exchange()
      : await GradientExchange.ofSums(group, parameters.values());
    if (exchange !== null) exchanges.set(group, exchange);
    return {
      async reduce() {
        if (exchange === null) await reduceGradients(group, parameters.values());
        else await exchange.finish();
      },
      [Symbol.dispose]() {
        exchanges.delete(group);
        if (!shared) exchange?.[Symbol.dispose]();
      },
    };
  }

  /**
   * {@link gather} of the work on passes.
   * @param items of this process, one for each pass
   * @param endsStep whether the gradients of the step are whole after the passes of all processes:
   *   then they are sent during the last one
   * @param read turns what was found in this process's passes into what is sent to the others
   */
  async gatherPasses<Item, Found, Sent = Found>(
    items: readonly Item[],
    work: (item: Item) => Promise<Found>,
    {
      endsStep = false,
      read = (found) => found as unknown as Sent[],
    }: { endsStep?: boolean; read?: (found: readonly Found[]) => Sent[] } = {},
  ): Promise<Sent[][]> {
    const exchange = endsStep ? exchanges.get(this.#group) : undefined;
    const run = async (): Promise<Sent[]> => {
      const found: Found[] = [];
      for (const [at, item] of items.entries()) {
        if (at === items.length - 1) exchange?.begin();
        found.push(await work(item));
      }
      return read(found);
    };
    if (exchange === undefined) return this.gather(run);
    let own!: Outcome<Sent[]>;
    const all = await this.gather(async () => {
      own = await outcomeOf(run);
      return { ...own.sent, begun: exchange.stop() };
    });
    const failed = all.findIndex((one) => 'error' in one);
    if (failed >= 0) {
      // Some have sent gradients that others do not have.
      await exchange.abandon(Math.max(...all.map(({ begun }) => begun)));
      if (failed === this.rank && 'error' in own) throw own.error;
      throw reviveError((all[failed] as { error: SentError }).error, failed);
    }
    return all.map((one) => (one as { value: Sent[] }).value);
  }

  /** The gradients become the sums over all ranks. */
  reduceGradients(parameters: Iterable<Tensor>): Promise<void> {
    return reduceGradients(this.#group, parameters);
  }

  /** The tensors become those of rank 0. */
  broadcast(tensors: readonly Tensor[]): Promise<void> {
    return this.#group.broadcast(tensors);
  }
}

/** null: this process computes alone */
export function workers(): Workers | null {
  const group = processGroup();
  return group === null ? null : new Workers(group);
}

/** What a process sends of its work. */
type Sent = { value: unknown } | { error: SentError };

/** @throws the other process's error */
function receivedValue(bytes: Uint8Array, rank: number): unknown {
  const sent = unpackValue(bytes) as Sent;
  if ('error' in sent) throw reviveError(sent.error, rank);
  // Rank 0 has left the training and said that it ends, or begun another one.
  if (!('value' in sent)) throw new StoppedElsewhere(rank);
  return sent.value;
}

type Outcome<T> = ({ value: T } | { error: unknown }) & { sent: Sent };

async function outcomeOf<T>(work: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    const value = await work();
    return { value, sent: { value } };
  } catch (error) {
    return { error, sent: { error: sentError(error) } };
  }
}
