// Sends gradients while backward computes others: as soon as those of a bucket are whole, a thread
// of the addon adds it up over the ranks. The order of buckets is the same on all ranks, whatever
// the order in which each has its gradients.
import { dtypeBytes } from '../dtype.ts';
import { native } from '../native.ts';
import { tidy } from '../scope.ts';
import { Tensor } from '../tensor.ts';
import { bucketsOf } from './buckets.ts';
import type { ProcessGroup } from './process-group.ts';
import { fillMissing } from './reduce-gradients.ts';

/** Parameters whose gradients are sent together. */
export interface ExchangedBucket {
  tensors: readonly Tensor[];
  /** First element of each in the bucket. */
  offsets: readonly number[];
  /** Elements of each rank's part of the bucket. */
  part: number;
}

/** What an exchange leaves in a process. */
export interface ExchangeOptions {
  /**
   * `sums`: each gradient becomes the sum over all ranks, as of `reduceGradients`; `parts`: this
   * rank has the sum of its part of each bucket, and the gradients are freed.
   */
  keeps: 'sums' | 'parts';
}

/**
 * The gradients of some parameters, added up over the ranks in every step. All processes of the
 * group call {@link finish} or {@link abandon} once a step.
 */
export class GradientExchange implements Disposable {
  readonly #group: ProcessGroup;
  readonly #buckets: readonly ExchangedBucket[];
  readonly #parameters: readonly Tensor[];
  readonly #options: ExchangeOptions;
  readonly #side: number;
  readonly #index: number;
  /** In which the next step begins the buckets. */
  #order: number[];
  #closed = false;
  /** Number of buckets that were begun while backward ran, in the latest step. */
  begunEarly = 0;

  private constructor(
    group: ProcessGroup,
    buckets: readonly ExchangedBucket[],
    options: ExchangeOptions,
    side: number,
  ) {
    this.#group = group;
    this.#buckets = buckets;
    this.#options = options;
    this.#parameters = buckets.flatMap(({ tensors }) => tensors);
    this.#side = side;
    this.#index = native.exchangeOpen(
      side,
      buckets.map(({ tensors }) => tensors.map(({ handle }) => handle)),
      buckets.map(({ offsets }) => [...offsets]),
      buckets.map(({ part }) => part),
      options.keeps === 'parts',
      Math.ceil(1000 * group.timeout),
    );
    // Backward usually reaches the last parameters first.
    this.#order = buckets.map((_, at) => buckets.length - 1 - at);
    native.exchangeNext(this.#index, this.#order);
  }

  /**
   * All processes call it, with the same buckets.
   * @returns null where the parameters are not on the CPU
   * @throws Error if another exchange that is open has one of the parameters
   */
  static async open(
    group: ProcessGroup,
    buckets: readonly ExchangedBucket[],
    options: ExchangeOptions,
  ): Promise<GradientExchange | null> {
    const onCpu = buckets.every(({ tensors }) => tensors.every(({ device }) => device === 'cpu'));
    if (!onCpu || buckets.length === 0) return null;
    // Where that throws, the side stays open: other ranks may be connecting to it still.
    return new GradientExchange(group, buckets, options, await group.side());
  }

  /**
   * An exchange of these parameters whose gradients become the sums over all ranks. All processes
   * call it.
   * @returns null where the parameters are not on the CPU
   */
  static ofSums(
    group: ProcessGroup,
    parameters: Iterable<Tensor>,
    mostBytes?: number,
  ): Promise<GradientExchange | null> {
    const buckets = bucketsOf([...new Set(parameters)], group.size, mostBytes);
    return GradientExchange.open(group, buckets, { keeps: 'sums' });
  }

  /**
   * The last pass of this process in the step begins: each gradient is whole once it is added to.
   * A process without a pass need not call it. A pass that would add to these gradients once more,
   * before {@link finish} or {@link abandon} ends, throws an Error instead.
   */
  begin(): void {
    native.exchangeBegin(this.#index);
  }

  /**
   * Sends the other buckets that have a gradient on some rank, and waits for all.
   * @returns the parameters that have a gradient on some rank
   * @throws GroupError naming the rank that is missing
   * @throws Error on all ranks, naming the first rank whose pass added to a gradient too late
   */
  async finish(): Promise<Set<Tensor>> {
    const { begun, whole, refused } = this.#end();
    const sent = new Set(this.#order.slice(0, begun).flatMap((at) => this.#buckets[at]!.tensors));
    const own = tidy(() =>
      this.#parameters.map((one) => Number(sent.has(one) || one.grad !== null)),
    );
    const message = Uint32Array.of(begun, Number(refused), ...this.#orderOf(whole));
    const head = new Uint8Array(message.buffer);
    const all = await this.#group.gatherBytes(Buffer.concat([head, Uint8Array.from(own)]));
    const moved = new Set(
      this.#parameters.filter((_, at) => all.some((bytes) => bytes[head.length + at] === 1)),
    );
    const heads = all.map((bytes) => new Uint32Array(bytes.slice(0, head.length).buffer));
    const [first] = heads;
    const most = Math.max(...heads.map(([count]) => count!));
    const late = heads.findIndex(([, flag]) => flag === 1);
    if (late >= 0) {
      // The pass that failed has added to gradients that were not sent yet.
      await this.abandon(most);
      throw new Error(
        `rank ${late} ran another pass after its gradients were sent, so the sums of this step would be wrong. Call abandon() instead of finish() after a pass that fails`,
      );
    }
    const left = this.#order.filter((bucket, at) => {
      if (at < begun) return false;
      return at < most || this.#buckets[bucket]!.tensors.some((one) => moved.has(one));
    });
    if (this.#options.keeps === 'sums') {
      const missing = left.flatMap((bucket) => this.#buckets[bucket]!.tensors);
      fillMissing(missing.filter((one) => moved.has(one)));
    }
    await this.#send(begun, left);
    this.#order = [...first!.subarray(2)];
    native.exchangeNext(this.#index, this.#order);
    return moved;
  }

  /** No gradient follows in this process. @returns the number of buckets that were begun */
  stop(): number {
    return this.#end().begun;
  }

  /**
   * The step has failed in all processes: what some have begun to send ends, and gradients are of
   * no use.
   * @param most largest result of {@link stop} of all processes
   * @throws GroupError naming the rank that is missing
   */
  async abandon(most: number): Promise<void> {
    const { begun } = this.#end();
    await this.#send(begun, this.#order.slice(begun, most));
    for (const one of this.takeParts()) one?.dispose();
    native.exchangeNext(this.#index, this.#order);
  }

  /** The sums of this rank's part of each bucket; null: it was not sent. The caller owns them. */
  takeParts(): (Tensor | null)[] {
    return this.#buckets.map((_, at) => {
      const handle = native.exchangeTake(this.#index, at);
      return handle === null ? null : new Tensor(handle).keep();
    });
  }

  #end(): { begun: number; whole: readonly number[]; refused: boolean } {
    const ended = native.exchangeEnd(this.#index);
    this.begunEarly = ended.begun;
    return ended;
  }

  /** @param begun number of buckets that are on their way */
  async #send(begun: number, left: readonly number[]): Promise<void> {
    native.exchangeLaunch(this.#index, [...left]);
    const sent = [...this.#order.slice(0, begun), ...left];
    await this.#group.awaited(
      () => native.exchangeWait(this.#index),
      () => {
        if (this.#closed) {
          throw new Error('the gradient exchange was closed while it sent gradients');
        }
        const { collective, milliseconds } = native.exchangeFailure(this.#index);
        return { collective, waited: milliseconds / 1000 };
      },
    );
    for (const at of sent) {
      const { tensors, part } = this.#buckets[at]!;
      const bytes = part * this.#group.size * dtypeBytes(tensors[0]!.dtype);
      this.#group.countSent('allToAll', bytes);
      if (this.#options.keeps === 'sums') {
        this.#group.countSent('allGather', bytes / this.#group.size);
      }
    }
  }

  /**
   * Buckets in the order in which they were whole; those that were not are last.
   * @param whole places of parameters
   */
  #orderOf(whole: readonly number[]): number[] {
    const turns = new Map(whole.map((place, turn) => [this.#parameters[place]!, turn]));
    const turnOf = (at: number): number =>
      Math.max(...this.#buckets[at]!.tensors.map((one) => turns.get(one) ?? whole.length));
    return this.#order.toSorted((a, b) => turnOf(a) - turnOf(b));
  }

  /**
   * Stops watching the parameters. Gradients that are on their way are lost: {@link finish} and
   * {@link abandon} then throw an Error.
   */
  [Symbol.dispose](): void {
    this.#closed = true;
    native.exchangeClose(this.#index);
    native.groupClose(this.#side).catch(() => {});
  }
}
