// Processes that compute one result together. Each collective has a deadline; what fails names the
// ranks that did not take part.
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromTypedArray, zeros } from '../create.ts';
import { dtypeBytes } from '../dtype.ts';
import { native } from '../native.ts';
import type { Tensor } from '../tensor.ts';
import { GroupError } from './group-error.ts';
import type { Launch } from './launch.ts';
import { Store } from './store.ts';

/** How processes join. */
export interface GroupOptions {
  /** Seconds that a collective waits for the slowest rank (default: 1800, as PyTorch's Gloo). */
  timeout?: number;
}

/** Seconds in which ranks that have lost one tell each other so. */
const REPORTING = 3;
/** Seconds after which a rank says that it waits for the others. */
const WAITING = 10;

/** What processes do together. */
export type Collective =
  | 'allReduce'
  | 'broadcast'
  | 'barrier'
  | 'allGather'
  | 'reduceScatter'
  | 'allToAll';

/** Bytes that a rank sends in a collective of `size` ranks, as a multiple of its tensor's. */
const sentShare: Record<Collective, (size: number) => number> = {
  allReduce: (size) => (2 * (size - 1)) / size,
  broadcast: () => 1,
  barrier: () => 0,
  allGather: (size) => size - 1,
  reduceScatter: (size) => (size - 1) / size,
  allToAll: (size) => (size - 1) / size,
};

/**
 * All processes of a group call the same functions in the same order. A call never waits longer
 * than the group's deadline. Tensors on the CPU go through Gloo, and those on CUDA through NCCL,
 * where LibTorch has it.
 */
export class ProcessGroup {
  readonly rank: number;
  readonly size: number;
  /** About the bytes that this process has sent. */
  bytes = 0;
  readonly #store: Store;
  /** By the kind of device. */
  readonly #groups: ReadonlyMap<string, number>;
  /** Seconds that a collective waits for the slowest rank. */
  readonly timeout: number;
  readonly #places: readonly string[];
  /** Connects the same processes once more. */
  readonly #open: Joined['open'];
  #sides = 0;
  #calls = 0;

  private constructor(launch: Launch, { store, groups, timeout, places, open }: Joined) {
    this.rank = launch.rank;
    this.size = launch.size;
    this.#store = store;
    this.#open = open;
    this.#groups = groups;
    this.timeout = timeout;
    this.#places = places;
  }

  /**
   * Waits for all processes of the launch.
   * @throws GroupError naming the ranks that did not come in time
   */
  static async join(launch: Launch, options: GroupOptions = {}): Promise<ProcessGroup> {
    const { timeout = 1800 } = options;
    const { rank, size, host, port } = launch;
    const backends = native.distributedBackends();
    if (!backends.includes('gloo')) {
      throw new GroupError('this LibTorch is built without process groups (torch.distributed)');
    }
    const store = await storeOf(launch, timeout);
    await store.set(`place/${rank}`, `${hostname()}, process ${process.pid}`);
    const places: string[] = [];
    const ends = performance.now() + 1000 * timeout;
    const missing: number[] = [];
    for (let other = 0; other < size; other++) {
      const left = Math.max(0.2, (ends - performance.now()) / 1000);
      try {
        places.push(await store.get(`place/${other}`, left));
      } catch (cause) {
        if (performance.now() < ends) {
          throw new GroupError(`rank ${rank} has lost its connection to rank 0 (${host}:${port})`, {
            cause,
          });
        }
        missing.push(other);
      }
    }
    if (missing.length > 0) {
      throw new GroupError(
        `${ranksText(missing)} of ${size} did not start within ${timeout} s. Start as many processes as WORLD_SIZE says`,
      );
    }
    const open = (backend: string, name = backend): Promise<number> =>
      native.groupOpen(
        store.index,
        backend,
        store.named(name),
        rank,
        size,
        Math.ceil(1000 * timeout),
      );
    try {
      const groups = new Map([['cpu', await open('gloo')]]);
      const onGpus = backends.includes('nccl') && native.build().cudaDevices > 0;
      if (onGpus) groups.set('cuda', await open('nccl'));
      return new ProcessGroup(launch, { store, groups, timeout, places, open });
    } catch (cause) {
      throw new GroupError(
        `rank ${rank} on ${hostname()} cannot connect to the other ranks: ${messageOf(cause)}. If a machine has several networks, name the one to use in GLOO_SOCKET_IFNAME`,
        { cause },
      );
    }
  }

  /** "host, process 12" of a rank. */
  placeOf(rank: number): string {
    return this.#places[rank]!;
  }

  /**
   * Adds (or takes the largest or smallest of) the tensors of all ranks, in place. The order of the
   * sums of more than two ranks is the backend's.
   */
  async allReduce(
    tensors: readonly Tensor[],
    operation: 'sum' | 'max' | 'min' = 'sum',
  ): Promise<void> {
    for (const one of tensors) await this.#call('allReduce', [one], [], { operation });
  }

  /** Overwrites the tensors with those of a rank. */
  async broadcast(tensors: readonly Tensor[], root = 0): Promise<void> {
    for (const one of tensors) await this.#call('broadcast', [one], [], { root });
  }

  /** [n] of each rank -> [size, n] on all. The caller owns the result. */
  async allGather(own: Tensor): Promise<Tensor> {
    const elements = own.size;
    return this.#exchange('allGather', own, { elements: this.size * elements, columns: elements });
  }

  /** As {@link allGather}, into a tensor of size * n elements. */
  allGatherInto(own: Tensor, into: Tensor): Promise<void> {
    return this.#call('allGather', [own], [into]);
  }

  /**
   * As {@link allGatherInto}, but this thread waits for it. Other ranks may use either.
   * @throws GroupError that names no rank: the next collective does
   */
  allGatherNow(own: Tensor, into: Tensor): void {
    this.#calls += 1;
    this.#count('allGather', [own]);
    try {
      native.groupCallNow(
        this.#groupOf(own),
        'allGather',
        [own.handle],
        [into.handle],
        ...(['sum', 0, Math.ceil(1000 * this.timeout)] as const),
      );
    } catch (cause) {
      throw new GroupError(
        `the collective allGather failed on rank ${this.rank}: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  /** [size * n] of each rank -> [n], the sum of this rank's part. The caller owns the result. */
  async reduceScatter(own: Tensor): Promise<Tensor> {
    using found = await this.#exchange('reduceScatter', own, {
      ...{ elements: own.size / this.size, columns: own.size / this.size },
    });
    return found.reshape(-1).keep();
  }

  /** [size, n]: row r goes to rank r; the result has a row from each. The caller owns it. */
  allToAll(own: Tensor): Promise<Tensor> {
    return this.#exchange('allToAll', own, {
      ...{ elements: own.size, columns: own.size / this.size },
    });
  }

  /** @returns [elements / columns, columns] */
  async #exchange(
    collective: Collective,
    own: Tensor,
    { elements, columns }: { elements: number; columns: number },
  ): Promise<Tensor> {
    const { dtype, device } = own;
    using flat = own.reshape(-1).keep();
    using into = zeros([elements], { dtype, device }).keep();
    await this.#call(collective, [flat], [into]);
    return into.view(-1, columns).keep();
  }

  /** Returns once all ranks have called it. */
  barrier(): Promise<void> {
    return this.#call('barrier', [], []);
  }

  /** The bytes of every rank, on all of them. */
  async gatherBytes(own: Uint8Array): Promise<Uint8Array[]> {
    using length = fromTypedArray(Float64Array.of(own.length)).keep();
    using lengths = await this.allGather(length);
    const counts = lengths.toArray();
    const most = Math.max(...counts);
    if (most === 0) return counts.map(() => new Uint8Array(0));
    const padded = new Uint8Array(most);
    padded.set(own);
    using bytes = fromTypedArray(padded).keep();
    using all = await this.allGather(bytes);
    const found = all.toTypedArray() as Uint8Array;
    return counts.map((count, rank) => found.slice(rank * most, rank * most + count));
  }

  /** Frees what the group holds; it takes part in nothing more. */
  async close(): Promise<void> {
    for (const group of this.#groups.values()) await native.groupClose(group);
  }

  /**
   * Other connections of the same processes, whose collectives may run at any time: their order
   * with those of the group does not matter. All ranks call it; the caller closes them.
   * @throws GroupError naming the rank that is missing
   * @internal
   */
  async side(): Promise<number> {
    const name = `side-${this.#sides++}`;
    const began = performance.now();
    let index!: number;
    await this.#watched(
      async () => {
        index = await this.#open('gloo', name);
      },
      () => ({ collective: 'connect', waited: (performance.now() - began) / 1000 }),
    );
    return index;
  }

  /** @internal Counts what was sent through {@link side}. */
  countSent(collective: Collective, bytes: number): void {
    this.bytes += bytes * sentShare[collective](this.size);
  }

  /**
   * Waits for collectives of {@link side}, all of which began before.
   * @param failure what failed, and after how many seconds
   * @throws GroupError naming the rank that is missing
   * @internal
   */
  awaited(
    pending: () => Promise<void>,
    failure: () => { collective: string; waited: number },
  ): Promise<void> {
    return this.#watched(pending, failure);
  }

  /** For tensors on the same kind of device. */
  #groupOf(tensor: Tensor | undefined): number {
    const [kind = 'cpu'] = tensor?.device.split(':') ?? [];
    const group = this.#groups.get(kind);
    if (group !== undefined) return group;
    throw new GroupError(`this LibTorch has no process groups for tensors on ${kind}`);
  }

  #count(collective: Collective, tensors: readonly Tensor[]): void {
    for (const one of tensors) {
      this.bytes += one.size * dtypeBytes(one.dtype) * sentShare[collective](this.size);
    }
  }

  async #call(
    collective: Collective,
    tensors: readonly Tensor[],
    into: readonly Tensor[],
    { operation = 'sum', root = 0 }: { operation?: string; root?: number } = {},
  ): Promise<void> {
    const group = this.#groupOf(tensors[0]);
    this.#count(collective, tensors);
    const began = performance.now();
    await this.#watched(
      () =>
        native.groupCall(
          group,
          collective,
          tensors.map(({ handle }) => handle),
          into.map(({ handle }) => handle),
          operation,
          root,
          Math.ceil(1000 * this.timeout),
        ),
      () => ({ collective, waited: (performance.now() - began) / 1000 }),
    );
  }

  /** Tells the other ranks that this one waits, if it does for long. */
  async #watched(
    pending: () => Promise<void>,
    failure: () => { collective: string; waited: number },
  ): Promise<void> {
    const call = this.#calls++;
    const waits = (): void => {
      this.#store.set(`waiting/${call}/${this.rank}`, '').catch(() => {});
    };
    const timer = setTimeout(waits, 1000 * Math.min(WAITING, this.timeout / 4)).unref();
    try {
      await pending();
    } catch (cause) {
      throw await this.#fault({ ...failure(), call, cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Every rank that a failed collective reaches says so; the others are those at fault. */
  async #fault({ collective, call, waited, cause }: Failure): Promise<GroupError> {
    const what = `the collective ${collective} (number ${call}) failed on rank ${this.rank} after ${waited.toFixed(1)} s`;
    let missing: number[];
    try {
      await this.#store.set(`failed/${this.rank}`, `${call}`);
      missing = await this.#silent(call, waited >= 0.95 * this.timeout);
    } catch {
      return new GroupError(
        `${what}: rank 0 (${this.placeOf(0)}) has ended, and with it the store in which ranks find each other. Read its messages`,
        { cause },
      );
    }
    // The store ends with rank 0: the others are still reading from it.
    if (this.rank === 0) await sleep(500);
    if (missing.length === 0) {
      return new GroupError(`${what} on every rank: ${messageOf(cause)}`, { cause });
    }
    const named = missing.map((rank) => `rank ${rank} (${this.placeOf(rank)})`).join(', ');
    return new GroupError(
      `${what}: ${named} did not take part. A rank that does not has ended, hangs, or needs longer than the deadline of ${this.timeout} s. Read its messages`,
      { cause, ranks: missing },
    );
  }

  /**
   * Ranks that do not report a failure soon after this one.
   * @param late whether the deadline has passed: then ranks that came later still wait
   */
  async #silent(call: number, late: boolean): Promise<number[]> {
    let left = Array.from({ length: this.size }, (_, rank) => rank);
    const ends = performance.now() + 1000 * REPORTING;
    const isAlive = async (rank: number): Promise<boolean> =>
      (await this.#store.has(`failed/${rank}`)) ||
      (late && (await this.#store.has(`waiting/${call}/${rank}`)));
    while (performance.now() < ends) {
      const alive = await Promise.all(left.map(isAlive));
      left = left.filter((_, at) => !alive[at]);
      if (left.length === 0) break;
      await sleep(100);
    }
    return left;
  }
}

interface Joined {
  store: Store;
  groups: ReadonlyMap<string, number>;
  timeout: number;
  places: readonly string[];
  open(backend: string, name?: string): Promise<number>;
}

/** Of this process: the next group of the same launch finds the others there, too. */
let opened: { address: string; store: Store } | null = null;

async function storeOf(launch: Launch, timeout: number): Promise<Store> {
  const { host, port, rank, serves, attempt } = launch;
  const address = `${host}:${port}`;
  if (opened?.address !== address) {
    try {
      opened = { address, store: await Store.open(launch, timeout) };
    } catch (cause) {
      const message = serves
        ? `rank ${rank} cannot open port ${port} on ${host}: another program may use it. Pass another MASTER_PORT`
        : `rank ${rank} on ${hostname()} found nobody at ${address} within ${timeout} s. Check that rank 0 runs there, and that a firewall lets the port through`;
      throw new GroupError(message, { cause });
    }
  }
  return opened.store.under(attempt);
}

interface Failure {
  collective: string;
  /** Its number, from 0. */
  call: number;
  /** Seconds. */
  waited: number;
  cause: unknown;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`);

const ranksText = (ranks: readonly number[]): string =>
  `${ranks.length === 1 ? 'rank' : 'ranks'} ${ranks.join(', ')}`;
