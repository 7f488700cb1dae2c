// Tensors of which each process has a part (ZeRO-3: Rajbhandari et al. 2020, arXiv:1910.02054,
// section 5.3). They have their shapes, and memory only while they are held.
import { noGrad } from '../autograd.ts';
import { empty, zeros } from '../create.ts';
import { native } from '../native.ts';
import { tidy } from '../scope.ts';
import type { Steps } from '../steps.ts';
import type { Tensor } from '../tensor.ts';
import { Layout, type Piece } from './layout.ts';

/** What the processes of divided tensors do together. */
export interface Exchange {
  readonly rank: number;
  readonly size: number;
  /** Fills a tensor of the layout's elements with all parts. @param into allocates it */
  gather(of: DividedTensors, into: () => Tensor): Promise<void>;
  /** As `gather`; this thread waits for it. */
  gatherNow(of: DividedTensors, into: Tensor): void;
  /** Adds gradients of this rank to the sums of all ranks. null: a tensor has none. */
  addGradients(of: DividedTensors, gradients: readonly (Tensor | null)[]): Promise<void>;
  /** Runs one piece of work at a time. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Held until others are read, or until the next exchange of results. */
  read(of: DividedTensors): void;
  remove(of: DividedTensors): void;
}

/** Makes tensors that share the memory of others. */
export type Derive = (tensors: readonly Tensor[]) => Tensor[];

const owners = new WeakMap<Tensor, DividedTensors>();

/** Tensors of one type and one device, which are gathered together, such as those of a block. */
export class DividedTensors implements Disposable {
  /** With the shapes of the whole tensors. Using one that is not held is an error. */
  readonly tensors: readonly Tensor[];
  /** Other tensors in the memory of these, such as weights whose bytes they are. */
  readonly derived: readonly Tensor[];
  readonly layout: Layout;
  /** [part]: the elements that this rank has. */
  readonly part: Tensor;
  /** [part]: the sum of all ranks' gradients that were given; null: none was. */
  gradient: Tensor | null = null;
  /** Tensors of which this rank has given a gradient. */
  readonly moved = new Set<Tensor>();
  readonly #exchange: Exchange;
  readonly #flat: Tensor;
  #holders = 0;
  /** Resolved once the tensors have their elements; null: they have no memory, or will soon. */
  #here: Promise<void> | null = null;

  private constructor(
    exchange: Exchange,
    flat: Tensor,
    part: Tensor,
    like: readonly Tensor[],
    derive: Derive = () => [],
  ) {
    this.#exchange = exchange;
    this.#flat = flat;
    this.part = part;
    this.layout = new Layout(
      like.map(({ size }) => size),
      exchange.size,
    );
    const { offsets } = this.layout;
    this.tensors = like.map((one, at) => {
      const view = noGrad(() =>
        tidy(() =>
          flat
            .narrow(0, offsets[at]!, one.size)
            .view(...one.shape)
            .detach(),
        ),
      );
      return view.keep().setRequiresGrad(one.requiresGrad);
    });
    this.derived = noGrad(() => tidy(() => derive(this.tensors)));
    for (const one of this.derived) one.keep();
    for (const one of [...this.tensors, ...this.derived]) owners.set(one, this);
    native.setAllocated(flat.handle, false);
  }

  /** Divides tensors, which the caller still owns, by their elements on this rank. */
  static of(exchange: Exchange, tensors: readonly Tensor[], derive?: Derive): DividedTensors {
    const flat = flatFor(exchange, tensors);
    const { part, offsets } = layoutOf(exchange, tensors);
    const own = noGrad(() =>
      tidy(() => {
        flat.zero_();
        tensors.forEach((one, at) => {
          flat.narrow(0, offsets[at]!, one.size).copy_(one.detach().reshape(-1));
        });
        return flat.narrow(0, exchange.rank * part, part).clone();
      }),
    ).keep();
    return new DividedTensors(exchange, flat, own, tensors, derive);
  }

  /** Zeros of the tensors' shapes. */
  static zerosLike(exchange: Exchange, tensors: readonly Tensor[]): DividedTensors {
    const flat = flatFor(exchange, tensors);
    const { dtype, device } = flat;
    const part = zeros([layoutOf(exchange, tensors).part], { dtype, device }).keep();
    const zero = new DividedTensors(exchange, flat, part, tensors);
    for (const one of zero.tensors) one.setRequiresGrad(false);
    return zero;
  }

  /** What this rank has of the tensors. */
  get pieces(): Piece[] {
    return this.layout.piecesOf(this.#exchange.rank);
  }

  /** Whether the tensors have their memory. */
  get held(): boolean {
    return this.#holders > 0;
  }

  /** Whether any of them is trained. */
  get trained(): boolean {
    return this.tensors.some(({ requiresGrad }) => requiresGrad);
  }

  /** Gathers the tensors until {@link release}, in steps: they wait for the other processes. */
  *hold(): Steps<void> {
    if (this.held) this.#holders += 1;
    else yield () => this.gather();
  }

  /** As {@link hold}. */
  async gather(): Promise<void> {
    this.prefetch();
    await this.#here;
    this.#holders += 1;
  }

  /**
   * Begins to gather the tensors, which are held next but one: what is said for them arrives while
   * the tensors before are computed with, and their elements while the next ones are.
   */
  prefetch(): void {
    if (this.#here !== null) return;
    this.#here = this.#exchange.gather(this, () => {
      native.setAllocated(this.#flat.handle, true);
      return this.#flat;
    });
    this.#here.catch(() => {});
  }

  /** Frees what was gathered ahead and is not held. */
  async forgetAhead(): Promise<void> {
    if (this.held || this.#here === null) return;
    await this.#here;
    this.#free();
  }

  /** As {@link hold}; this thread waits for it. */
  gatherNow(): void {
    if (this.#here === null) {
      native.setAllocated(this.#flat.handle, true);
      this.#exchange.gatherNow(this, this.#flat);
      this.#here = Promise.resolve();
    } else if (!this.held) {
      throw new Error('these tensors are gathered ahead, and this thread cannot wait for them');
    }
    this.#holders += 1;
  }

  /** The memory of the tensors is freed once nothing holds them. */
  release(): void {
    if (this.#holders === 0) throw new Error('these tensors are not held');
    this.#holders -= 1;
    if (this.#holders === 0) this.#free();
  }

  #free(): void {
    this.#here = null;
    native.setAllocated(this.#flat.handle, false);
  }

  /** Gives the tensors' gradients to the ranks that have their parts; they have none then. */
  *giveGradients(): Steps<void> {
    if (this.trained) yield () => this.takeGradients(this.tensors);
  }

  /** As {@link giveGradients}, of other tensors of the same shapes. */
  async takeGradients(tensors: readonly Tensor[]): Promise<void> {
    const own = tensors.map(({ grad }) => grad?.keep() ?? null);
    try {
      tensors.forEach((one, at) => {
        if (own[at] !== null) this.moved.add(one);
        one.grad = null;
      });
      await this.#exchange.exclusively(() => this.#exchange.addGradients(this, own));
    } finally {
      for (const one of own) one?.dispose();
    }
  }

  /** Begins another step: there are no gradients. */
  forgetGradients(): void {
    this.gradient?.dispose();
    this.gradient = null;
    this.moved.clear();
  }

  /**
   * Overwrites this rank's part of one tensor.
   * @param whole of the tensor's shape
   * @throws Error for one that is in the memory of others
   */
  assign(tensor: Tensor, whole: Tensor): void {
    if (!this.tensors.includes(tensor)) {
      throw new Error('a tensor that is divided by its bytes cannot be overwritten');
    }
    noGrad(() =>
      tidy(() => {
        const flat = whole.reshape(-1);
        const own = this.pieces.filter(({ index }) => this.tensors[index] === tensor);
        for (const { from, length, at } of own) {
          this.part.narrow(0, at, length).copy_(flat.narrow(0, from, length));
        }
        if (this.held) tensor.copy_(whole);
      }),
    );
  }

  /** Whether this rank's part of one tensor is finite. Nothing is known of bytes: null. */
  isFinite(tensor: Tensor): boolean | null {
    if (!this.tensors.includes(tensor)) return null;
    const own = this.pieces.filter(({ index }) => this.tensors[index] === tensor);
    return tidy(() => own.every(({ at, length }) => this.part.narrow(0, at, length).isFinite()));
  }

  /** Gathers the tensors to be read now: other tensors may be read after them. */
  read(): void {
    this.#exchange.read(this);
  }

  /** Frees the tensors. */
  [Symbol.dispose](): void {
    this.#exchange.remove(this);
    this.forgetGradients();
    for (const one of [...this.derived, ...this.tensors, this.part, this.#flat]) one.dispose();
  }
}

const layoutOf = (exchange: Exchange, tensors: readonly Tensor[]): Layout =>
  new Layout(
    tensors.map(({ size }) => size),
    exchange.size,
  );

/** [elements], not initialised. @throws Error if the types or devices of the tensors differ */
function flatFor(exchange: Exchange, tensors: readonly Tensor[]): Tensor {
  const [{ dtype, device }] = tensors as [Tensor];
  if (tensors.some((one) => one.dtype !== dtype || one.device !== device)) {
    throw new Error('tensors of different types or devices cannot be divided together');
  }
  return empty([layoutOf(exchange, tensors).elements], { dtype, device }).keep();
}

/** Calls `body` with the tensor; if it is divided, its elements are gathered first. */
export function withElements<T>(tensor: Tensor, body: (tensor: Tensor) => T): T {
  owners.get(tensor)?.read();
  return body(tensor);
}

/** Overwrites a tensor; of a divided one, the part of this rank. All ranks have the same source. */
export function assignElements(tensor: Tensor, source: Tensor): void {
  const divided = owners.get(tensor);
  if (divided !== undefined) divided.assign(tensor, source);
  else noGrad(() => tensor.copy_(source));
}

/**
 * Whether a tensor is finite; of a divided one, the part of this rank, and null where that is bytes
 * of no type.
 */
export const finiteHere = (tensor: Tensor): boolean | null => {
  const divided = owners.get(tensor);
  return divided === undefined ? tensor.isFinite() : divided.isFinite(tensor);
};

/** Whether each process has a part of the tensor. */
export const isDivided = (tensor: Tensor): boolean => owners.has(tensor);

/** What a tensor is divided with; null if it is whole. */
export const dividedWith = (tensor: Tensor): DividedTensors | null => owners.get(tensor) ?? null;
