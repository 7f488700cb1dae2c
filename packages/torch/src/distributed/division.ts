// How processes gather divided tensors and add up their gradients, although each runs its own
// passes, which may differ in number and in kind: they meet in rounds. In each round, every rank
// says what it needs, and all take part in what any of them needs. A rank whose work is done says
// so, and takes part until all of them are done. The next round may begin while what the last one
// gathers is on its way.
import { noGrad } from '../autograd.ts';
import { empty, fromTypedArray, zeros } from '../create.ts';
import { dtypeBytes } from '../dtype.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { type Derive, DividedTensors, type Exchange } from './divided-tensors.ts';
import type { ProcessGroup } from './process-group.ts';

/** What a rank says in a round, with the number of the tensors. */
const kinds = { done: 0, alive: 1, gather: 2, add: 3 } as const;

type Request =
  | { kind: 'done' | 'alive'; id: 0 }
  | { kind: 'gather'; id: number; into: () => Tensor }
  | { kind: 'add'; id: number; gradients: readonly (Tensor | null)[] };

/** Bytes of gradients that are sent at a time. */
const CHUNK = 16 * 2 ** 20;
/** Tensors that stay gathered after they were read: a weight's and its moments' take turns. */
const RECENT = 2;

const divisions = new WeakMap<ProcessGroup, Division>();

/** The divided tensors of a process. All ranks divide the same ones in the same order. */
export class Division implements Exchange {
  readonly #group: ProcessGroup;
  readonly #divided = new Map<number, DividedTensors>();
  #next = 1;
  /** The last piece of work; once one has failed, all others fail. */
  #last: Promise<unknown> = Promise.resolve();
  #recent: DividedTensors[] = [];

  private constructor(group: ProcessGroup) {
    this.#group = group;
  }

  /** That of a group. */
  static of(group: ProcessGroup): Division {
    const known = divisions.get(group) ?? new Division(group);
    divisions.set(group, known);
    return known;
  }

  get rank(): number {
    return this.#group.rank;
  }

  get size(): number {
    return this.#group.size;
  }

  /** Whether no tensors are divided: then ranks have nothing to wait for. */
  get isEmpty(): boolean {
    return this.#divided.size === 0;
  }

  /**
   * Divides tensors, which the caller still owns. The caller owns the result, too.
   * @param derive makes other tensors from the divided ones, in their memory (default: none)
   */
  divide(tensors: readonly Tensor[], derive?: Derive): DividedTensors {
    return this.#added(DividedTensors.of(this, tensors, derive));
  }

  /** Zeros of the tensors' shapes, divided. The caller owns the result. */
  zerosLike(tensors: readonly Tensor[]): DividedTensors {
    return this.#added(DividedTensors.zerosLike(this, tensors));
  }

  #added(divided: DividedTensors): DividedTensors {
    this.#divided.set(this.#next++, divided);
    return divided;
  }

  remove(divided: DividedTensors): void {
    this.#recent = this.#recent.filter((one) => one !== divided);
    this.#divided.delete(this.#idOf(divided));
    // The next training of the same processes starts with the same numbers in all of them.
    if (this.isEmpty) this.#next = 1;
  }

  /** Returns once all ranks have called it; until then, this rank takes part in their rounds. */
  async settle(): Promise<void> {
    this.#forgetRecent();
    if (this.isEmpty) return;
    for (const one of this.#divided.values()) await one.forgetAhead();
    for (;;) {
      const { done, ended } = await this.exclusively(() => this.#round({ kind: 'done', id: 0 }));
      await ended;
      if (done) return;
    }
  }

  /** Says that this rank still works, and that others must wait on. */
  async stayAlive(): Promise<void> {
    if (this.isEmpty) return;
    const { ended } = await this.exclusively(() => this.#round({ kind: 'alive', id: 0 }));
    await ended;
  }

  async gather(of: DividedTensors, into: () => Tensor): Promise<void> {
    const id = this.#idOf(of);
    const { ended } = await this.exclusively(() => this.#round({ kind: 'gather', id, into }));
    await ended;
  }

  gatherNow(of: DividedTensors, into: Tensor): void {
    const id = this.#idOf(of);
    using own = requestTensor('gather', id);
    using all = zeros([2 * this.size], { dtype: 'int32' }).keep();
    this.#group.allGatherNow(own, all);
    const requests = readRequests(all);
    for (const wanted of idsOf(requests, 'gather')) {
      const { part, layout } = this.#divided.get(wanted)!;
      using elsewhere = wanted === id ? null : scratchFor(part, layout.elements);
      this.#group.allGatherNow(part, elsewhere ?? into);
    }
    if (idsOf(requests, 'add').length === 0) return;
    throw new Error('a rank reads tensors while another adds gradients to them');
  }

  async addGradients(of: DividedTensors, gradients: readonly (Tensor | null)[]): Promise<void> {
    await this.#round({ kind: 'add', id: this.#idOf(of), gradients });
  }

  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work);
    this.#last = run;
    run.catch(() => {});
    return run;
  }

  read(of: DividedTensors): void {
    if (this.#recent.includes(of)) return;
    while (this.#recent.length >= RECENT) this.#recent.shift()!.release();
    of.gatherNow();
    this.#recent.push(of);
  }

  #forgetRecent(): void {
    for (const one of this.#recent.splice(0)) one.release();
  }

  /**
   * @returns whether all ranks are done, once everything of the round has begun; what it gathers
   *   has arrived when `ended` is resolved
   */
  async #round(own: Request): Promise<{ done: boolean; ended: Promise<void> }> {
    using told = requestTensor(own.kind, own.id);
    using all = await this.#group.allGather(told);
    const requests = readRequests(all);
    const gathering = idsOf(requests, 'gather').map((id) => {
      const into = own.kind === 'gather' && own.id === id ? own.into : null;
      return this.#gatherPart(this.#divided.get(id)!, into);
    });
    const ended = Promise.all(gathering).then(() => {});
    // It is awaited later.
    ended.catch(() => {});
    for (const id of idsOf(requests, 'add')) {
      const givers = requests.flatMap(({ kind, id: given }, rank) =>
        kind === kinds.add && given === id ? [rank] : [],
      );
      const gradients = own.kind === 'add' && own.id === id ? own.gradients : [];
      await this.#add(this.#divided.get(id)!, gradients, givers);
    }
    return { done: requests.every(({ kind }) => kind === kinds.done), ended };
  }

  /** @param into null: other ranks need the tensors, and this one takes part */
  async #gatherPart({ part, layout }: DividedTensors, into: (() => Tensor) | null): Promise<void> {
    using elsewhere = into === null ? scratchFor(part, layout.elements) : null;
    await this.#group.allGatherInto(part, elsewhere ?? into!());
  }

  /** Adds the givers' gradients in the order of ranks, a chunk of every part at a time. */
  async #add(
    divided: DividedTensors,
    gradients: readonly (Tensor | null)[],
    givers: readonly number[],
  ): Promise<void> {
    const { layout, part } = divided;
    const { dtype, device } = part;
    const chunk = Math.max(1, Math.floor(CHUNK / dtypeBytes(dtype) / this.size));
    const first = divided.gradient === null;
    divided.gradient ??= zeros([layout.part], { dtype, device }).keep();
    const total = divided.gradient;
    for (let start = 0; start < layout.part; start += chunk) {
      const length = Math.min(chunk, layout.part - start);
      using own = tidy(() => {
        const rows = zeros([this.size, length], { dtype, device });
        for (let rank = 0; rank < this.size; rank++) {
          const from = rank * layout.part + start;
          fill(rows.select(0, rank), gradients, layout.pieces(from, from + length));
        }
        return rows;
      }).keep();
      using parts = await this.#group.allToAll(own); // [ranks, length]
      noGrad(() =>
        tidy(() => {
          const sum = parts.select(0, givers[0]!);
          for (const rank of givers.slice(1)) sum.add_(parts.select(0, rank));
          const into = total.narrow(0, start, length);
          if (first) into.copy_(sum);
          else into.add_(sum);
        }),
      );
    }
  }

  #idOf(divided: DividedTensors): number {
    for (const [id, one] of this.#divided) if (one === divided) return id;
    throw new Error('these tensors are no longer divided');
  }
}

/** Copies pieces of tensors to where they are in a range. */
function fill(
  range: Tensor,
  tensors: readonly (Tensor | null)[],
  pieces: readonly { index: number; from: number; length: number; at: number }[],
): void {
  noGrad(() =>
    tidy(() => {
      for (const { index, from, length, at } of pieces) {
        const tensor = tensors[index] ?? null;
        if (tensor === null) continue;
        range.narrow(0, at, length).copy_(tensor.reshape(-1).narrow(0, from, length));
      }
    }),
  );
}

const requestTensor = (kind: keyof typeof kinds, id: number): Tensor =>
  fromTypedArray(Int32Array.of(kinds[kind], id)).keep();

function readRequests(all: Tensor): { kind: number; id: number }[] {
  const values = all.toArray();
  return Array.from({ length: values.length / 2 }, (_, rank) => ({
    kind: values[2 * rank]!,
    id: values[2 * rank + 1]!,
  }));
}

/** The different tensors that are asked for, in their order. */
const idsOf = (
  requests: readonly { kind: number; id: number }[],
  kind: 'gather' | 'add',
): number[] =>
  [...new Set(requests.flatMap((one) => (one.kind === kinds[kind] ? [one.id] : [])))].sort(
    (a, b) => a - b,
  );

const scratchFor = ({ dtype, device }: Tensor, elements: number): Tensor =>
  empty([elements], { dtype, device }).keep();
