// The rows of an optimizer step or of an evaluation, pass by pass: they are split, packed and
// counted; each pass goes forward in a role, its loss is checked, and backward adds its gradient.
// Processes that train together share the passes out, and all of them have the numbers of each.
import { setImmediate as letOthersIn } from 'node:timers/promises';
import type { LanguageModel, PackedBatch, Role } from '@keel/model';
import {
  type Device,
  inTurns,
  later,
  manualSeed,
  noGradSteps,
  ops,
  phase,
  type Recomputation,
  randomState,
  type Steps,
  setRandomState,
  type Tensor,
  tidy,
  tidySteps,
  Unread,
} from '@keel/torch';
import { type MicroBatchLimit, splitMicroBatches } from '../batching/micro-batches.ts';
import { shareOut } from '../sharing/share-out.ts';
import { workers } from '../sharing/workers.ts';
import { readInStep } from './end-of-step.ts';
import { runPass } from './run-pass.ts';
import { NonFiniteLossError } from './training-task.ts';

/** The model that the passes go through, and their size. */
export interface PassesParts {
  model: LanguageModel;
  /** An adapter's name, or `reference` for the base itself (full fine-tuning). */
  role: Role;
  limit: MicroBatchLimit;
  /** Whether a pass of this many tokens recomputes its activations in backward (default: never). */
  recomputes?(tokens: number): boolean;
}

/** A tokenised row of a dataset. */
export interface Placed {
  /** Its place in the dataset. */
  row: number;
}

/** How rows of a kind become passes. */
export interface Packing<Row, Batch extends { packed: PackedBatch }> {
  /** Tokens that the row adds to a pass. */
  tokens(row: Row): number;
  pack(rows: readonly Row[]): Batch;
  /** Number of tokens whose log-probabilities a pass computes. */
  scored(batch: Batch): number;
}

export interface PassesOptions<Batch> {
  /**
   * The sum of a pass's losses is divided by it before its gradient is added; null: the passes add
   * no gradient.
   */
  divisor: number | null;
  /** Whether the passes are those of a training step, with dropout (default: with a divisor). */
  training?: boolean;
  /** Whether the rows are held-out ones (default: not in training). */
  heldOut?: boolean;
  /** Whether the gradient of the step is whole after these passes (default: it is not). */
  endsStep?: boolean;
  /** Called with every pass that adds a gradient. */
  count?(batch: Batch): void;
  /** Called with every forward pass without gradient in training. */
  countForward?(batch: Batch): void;
  /** The loss in messages (default: "the loss"). */
  name?: string;
}

/** What the forward of a pass takes. */
export interface ForwardOptions {
  training: boolean;
  /** Given when the activations are recomputed in backward. */
  recomputation: Recomputation | null;
}

/** What a method computes in a pass: its losses, and numbers for its totals. */
export interface PassLosses {
  /** The gradient is that of `sum`. */
  sum: Tensor;
  /** The pass's part of `sum`, where that is of the whole step (default: `sum`). */
  own?: Tensor;
  /** The number in `own`, where the method reads it together with others. */
  loss?: number;
}

/** A pass's loss: a number where the method has read it. */
type LossOf<Found extends PassLosses> = Found extends { loss: number } ? number : Unread<number>;

/** What a method found, with the numbers in place of what was not read yet. */
export type Resolved<Found> = Found extends
  | readonly unknown[]
  | Tensor
  | ((...all: never) => unknown)
  ? Found
  : Found extends object
    ? { [Name in keyof Found]: ValueOf<Found[Name]> }
    : Found;
type ValueOf<Field> = Field extends Unread<infer Value> ? Value : Field;

/** A pass, and what `work` found in it. */
export interface DonePass<Row extends Placed, Batch extends { packed: PackedBatch }, Found> {
  pass: Pass<Row, Batch>;
  found: Resolved<Found>;
}

/**
 * Splits rows into passes, packs each and runs `work` on it, and then reads what all of them have
 * put off, with a single wait for the device; without gradients, after each. Where processes train together, `work` runs in one of
 * them, and all of them get what it found, in the same order.
 * @param work takes the pass's gradient with {@link Pass.run}; returns plain values and tensors,
 *   or an object of these and of `Unread` numbers, and changes nothing that other processes need
 * @throws NonFiniteLossError naming the rows of a pass
 */
export async function* passes<Row extends Placed, Batch extends { packed: PackedBatch }, Found>(
  parts: PassesParts,
  rows: readonly Row[],
  packing: Packing<Row, Batch>,
  options: PassesOptions<Batch>,
  work: (pass: Pass<Row, Batch>) => Promise<Found>,
): AsyncGenerator<DonePass<Row, Batch, Found>, void, undefined> {
  const lengths = rows.map(packing.tokens);
  const split = (share: readonly number[]): number[][] => {
    const own = share.map((at) => lengths[at]!);
    return splitMicroBatches(own, parts.limit).map((pass) => pass.map((place) => share[place]!));
  };
  const together = workers();
  // Of each process: the rows of its passes
  const shares = shareOut(lengths, together?.size ?? 1).map((share) =>
    share.length === 0 ? [] : split(share),
  );
  const count = shares.flat().length;
  let index = 0;
  const numbered = shares.map((share) => share.map((places) => ({ index: index++, places })));
  const packed = ({ index, places }: { index: number; places: readonly number[] }) => {
    const placed = places.map((place) => rows[place]!);
    const batch = phase('data', () => packing.pack(placed));
    return new Pass(parts, options, { index, passes: count, placed, batch });
  };
  const training = options.training ?? options.divisor !== null;
  using drawn = training ? new PassDraws(parts.model.device) : null;
  const run = async (one: (typeof numbered)[number][number]) => {
    const pass = packed(one);
    if (options.divisor !== null) options.count?.(pass.batch);
    drawn?.begin(one.places);
    return { pass, found: await work(pass) };
  };
  if (together === null && options.divisor === null) {
    for (const one of numbered[0]!) {
      const { pass, found } = await run(one);
      yield { pass, found: resolved([found], false)[0]! };
    }
    return;
  }
  if (together === null) {
    const done: Awaited<ReturnType<typeof run>>[] = [];
    for (const one of numbered[0]!) done.push(await run(one));
    const all = done.map(({ found }) => found);
    const read = resolved(all, options.endsStep === true);
    for (const [at, { pass }] of done.entries()) yield { pass, found: read[at]! };
    return;
  }
  const own: Pass<Row, Batch>[] = [];
  const shared = async (one: (typeof numbered)[number][number]): Promise<Found> => {
    const done = await run(one);
    own.push(done.pass);
    return done.found;
  };
  const read = (all: readonly Found[]): Resolved<Found>[] => resolved(all, false);
  const how = { endsStep: options.endsStep ?? false, read };
  const found = await together.gatherPasses(numbered[together.rank]!, shared, how);
  for (const [rank, share] of numbered.entries()) {
    for (const [at, one] of share.entries()) {
      const pass = rank === together.rank ? own[at]! : packed(one);
      yield { pass, found: found[rank]![at]! };
    }
  }
}

/** Reads what the passes have put off: all with one wait. */
function resolved<Found>(found: readonly Found[], last: boolean): Resolved<Found>[] {
  const put = found.map((one) => (isObject(one) ? Object.entries(one).filter(isUnread) : []));
  const losses = put.flat().flatMap(([name, one]) => (name === 'loss' ? [one] : []));
  const unread = put.flat().map(([, one]) => one);
  const read = readInStep(unread, last ? losses : null);
  let at = 0;
  return found.map((one, index) => {
    const values = put[index]!.map(([name]) => [name, read[at++]]);
    return values.length === 0 ? one : { ...one, ...Object.fromEntries(values) };
  }) as Resolved<Found>[];
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isUnread = (entry: [string, unknown]): entry is [string, Unread<unknown>] =>
  entry[1] instanceof Unread;

/**
 * The random numbers of a step's passes (dropout, noise on embeddings): they depend on the step and
 * on the rows of the pass, and not on the process that runs it or on its other passes.
 */
export class PassDraws implements Disposable {
  readonly #devices: readonly Device[];
  readonly #seed: number;
  readonly #after: readonly Uint8Array[];

  constructor(device: Device) {
    this.#devices = [...new Set(['cpu', device])];
    const draw = (): number => tidy(() => ops.randintLow(0, 2 ** 47, [1], 'int64').item());
    this.#seed = phase('data', draw);
    this.#after = phase('data', () => this.#devices.map((one) => randomState(one)));
  }

  /** @param places of the pass's rows in the step */
  begin(places: readonly number[]): void {
    phase('data', () => {
      for (const one of this.#devices) manualSeed(this.#seed + Math.min(...places), one);
    });
  }

  [Symbol.dispose](): void {
    phase('data', () => {
      this.#devices.forEach((one, at) => {
        setRandomState(this.#after[at]!, one);
      });
    });
  }
}

export class Pass<Row extends Placed, Batch extends { packed: PackedBatch }> {
  /** Place among the passes of the step. */
  readonly index: number;
  /** The number of passes of the step. */
  readonly passes: number;
  readonly placed: readonly Row[];
  readonly batch: Batch;
  readonly #parts: PassesParts;
  readonly #options: PassesOptions<Batch>;

  constructor(
    parts: PassesParts,
    options: PassesOptions<Batch>,
    {
      index,
      passes,
      placed,
      batch,
    }: Pick<Pass<Row, Batch>, 'index' | 'passes' | 'placed' | 'batch'>,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.index = index;
    this.passes = passes;
    this.placed = placed;
    this.batch = batch;
  }

  /** Places of its rows in the dataset. */
  get rows(): number[] {
    return this.placed.map(({ row }) => row);
  }

  get training(): boolean {
    return this.#options.training ?? this.#options.divisor !== null;
  }

  get heldOut(): boolean {
    return this.#options.heldOut ?? !this.training;
  }

  /**
   * Runs the method's forward in the role and adds the gradient of its losses.
   * @returns what the method computed, and the loss: the number that the method has read, or one
   *   that {@link passes} reads
   * @throws NonFiniteLossError naming the rows of the pass, now or when the loss is read
   */
  async run<Found extends PassLosses>(
    forward: (options: ForwardOptions) => Steps<Found>,
  ): Promise<Omit<Found, keyof PassLosses> & { loss: LossOf<Found> }> {
    const { model, role, recomputes } = this.#parts;
    const { divisor } = this.#options;
    const { training } = this;
    let result!: Omit<Found, keyof PassLosses> & { loss: LossOf<Found> };
    const check = this.#finite.bind(this);
    const steps = function* (recomputation: Recomputation | null): Steps<Tensor> {
      const losses = yield* model.asSteps(role, forward({ training, recomputation }));
      const { sum, own = sum, loss, ...numbers } = losses;
      const checked =
        loss === undefined ? later({ own }, (read) => check(read.own[0]!)) : check(loss);
      result = { ...numbers, loss: checked as LossOf<Found> };
      return sum;
    };
    // Divided weights are gathered block by block, in backward again.
    const isDivided = model.decoder.divided !== null;
    await runPass(steps, {
      divisor,
      recomputes: isDivided || (recomputes?.(this.batch.packed.tokens.length) ?? false),
    });
    return result;
  }

  /** Runs a forward pass without gradient; what it made beside its result is freed. */
  async compute<T>(steps: Steps<T>): Promise<T> {
    if (this.training) this.#options.countForward?.(this.batch);
    const found = await inTurns(noGradSteps(tidySteps(steps)));
    await letOthersIn();
    return found;
  }

  #finite(loss: number): number {
    if (Number.isFinite(loss)) return loss;
    const { name = 'the loss' } = this.#options;
    const rows = [...new Set(this.rows)];
    throw new NonFiniteLossError(`${name} is ${loss}`, rows, { heldOut: this.heldOut });
  }
}
