// AdamW whose moments are divided among processes: each has those of its part of the parameters,
// updates it, and sends it to the others (ZeRO-1: Rajbhandari et al. 2020, arXiv:1910.02054,
// section 5.1). Parameters that are divided themselves (ZeRO-3, section 5.3) are only updated. The
// sums of gradients are those of `reduceGradients` and the update is AdamW's, so that a step is
// that of one process; only the norm for clipping is added in another order.
import { noGrad } from '../autograd.ts';
import { full, zeros } from '../create.ts';
import * as ops from '../ops.generated.ts';
import { type AdamWOptions, completed } from '../optimisers/adamw.ts';
import {
  clearGradients,
  type OptimiserState,
  refuseShared,
  restoreTensors,
  type SavedOptimiserState,
  type SharedOptimiser,
} from '../optimisers/optimiser.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { bucketsOf } from './buckets.ts';
import { assignElements, type DividedTensors, dividedWith } from './divided-tensors.ts';
import { Division } from './division.ts';
import { GradientExchange } from './gradient-exchange.ts';
import type { Piece } from './layout.ts';
import type { ProcessGroup } from './process-group.ts';

/** Parameters that are updated together. */
interface Share {
  tensors: readonly Tensor[];
  /** The parameters, if they are divided; null: they are whole in every process. */
  divided: DividedTensors | null;
  first: DividedTensors;
  second: DividedTensors;
}

/** AdamW whose moments are divided among processes, which update the parameters together. */
export class ShardedAdamW implements SharedOptimiser {
  readonly #group: ProcessGroup;
  readonly #parameters: Map<string, Tensor>;
  readonly #options: Required<AdamWOptions>;
  readonly #shares: Share[];
  #step = 0;
  /** As in {@link AdamW}. */
  #missed = new Map<string, number>();
  #moved = new Set<Tensor>();
  #exchange: GradientExchange | null = null;

  constructor(group: ProcessGroup, parameters: Map<string, Tensor>, options: AdamWOptions = {}) {
    refuseShared(parameters);
    this.#group = group;
    this.#parameters = parameters;
    this.#options = completed(options);
    const division = Division.of(group);
    const all = [...parameters.values()];
    const whole = all.filter((one) => dividedWith(one) === null);
    const units = new Set(all.flatMap((one) => dividedWith(one) ?? []));
    const share = (tensors: readonly Tensor[], divided: DividedTensors | null): Share => ({
      ...{ tensors, divided },
      first: division.zerosLike(tensors),
      second: division.zerosLike(tensors),
    });
    this.#shares = [
      ...[...units].map((unit) => share(unit.tensors, unit)),
      ...bucketsOf(whole, group.size).map(({ tensors }) => share(tensors, null)),
    ];
  }

  /**
   * From now on, gradients of whole parameters may be sent while backward runs. All processes call
   * it. This object still owns the exchange.
   * @returns null where that is not possible
   */
  async exchange(): Promise<GradientExchange | null> {
    const buckets = this.#whole.map(({ tensors, first: { layout } }) => ({ tensors, ...layout }));
    this.#exchange ??= await GradientExchange.open(this.#group, buckets, { keeps: 'parts' });
    return this.#exchange;
  }

  /** The shares of parameters that are whole in every process. */
  get #whole(): Share[] {
    return this.#shares.filter(({ divided }) => divided === null);
  }

  async reduce(maximum: number): Promise<number> {
    const exchanged = (await this.#exchange?.finish()) ?? null;
    this.#exchange?.takeParts().forEach((sum, at) => {
      this.#whole[at]!.first.gradient = sum;
    });
    const others = [...this.#parameters.values()].filter(
      (one) => exchanged === null || dividedWith(one) !== null,
    );
    this.#moved = new Set([...(exchanged ?? []), ...(await this.#movedAnywhere(others))]);
    let squares = 0;
    for (const { tensors, divided, first } of this.#shares) {
      if (!tensors.some((one) => this.#moved.has(one))) continue;
      if (divided === null && exchanged === null) await first.takeGradients(tensors);
      const { gradient } = divided ?? first;
      const norm = (sum: Tensor): number =>
        tidy(() => noGrad(() => ops.linalgVectorNorm(sum, 2, null, false, 'float64').item()));
      squares += norm(gradient!) ** 2;
    }
    const told = await this.#group.gatherBytes(new Uint8Array(Float64Array.of(squares).buffer));
    const total = told.reduce((sum, bytes) => sum + new Float64Array(bytes.slice().buffer)[0]!, 0);
    const norm = Math.sqrt(total);
    const factor = maximum / (norm + 1e-6);
    const sums = this.#shares.flatMap(({ divided, first }) => (divided ?? first).gradient ?? []);
    if (maximum > 0 && factor < 1) noGrad(() => ops.foreachMulScalar_(sums, factor));
    return norm;
  }

  /** Those of these parameters that have a gradient on some rank. */
  async #movedAnywhere(all: readonly Tensor[]): Promise<Tensor[]> {
    if (all.length === 0) return [];
    const moved = (one: Tensor): boolean => dividedWith(one)?.moved.has(one) ?? one.grad !== null;
    const own = tidy(() => Uint8Array.from(all, (one) => Number(moved(one))));
    const masks = await this.#group.gatherBytes(own);
    return all.filter((_, at) => masks.some((mask) => mask[at] === 1));
  }

  async stepTogether(learningRate: number): Promise<void> {
    this.#step += 1;
    for (const [name, one] of this.#parameters) {
      if (!this.#moved.has(one)) this.#missed.set(name, (this.#missed.get(name) ?? 0) + 1);
    }
    for (const share of this.#shares) {
      const { tensors, divided, first } = share;
      if (divided?.held) throw new Error('divided parameters are updated while they are held');
      if (tensors.some((one) => this.#moved.has(one))) {
        if (divided !== null) this.#update(share, divided.part, learningRate);
        else await this.#updateWhole(share, learningRate);
      }
      (divided ?? first).forgetGradients();
    }
  }

  async #updateWhole(share: Share, learningRate: number): Promise<void> {
    const { tensors, first } = share;
    const { pieces, layout, part } = first;
    const { dtype, device } = part;
    using own = tidy(() => copied(tensors, pieces, zeros([layout.part], { dtype, device }))).keep();
    this.#update(share, own, learningRate);
    using parts = await this.#group.allGather(own);
    noGrad(() =>
      tidy(() => {
        const flat = parts.view(-1);
        tensors.forEach((one, at) => {
          one.copy_(flat.narrow(0, layout.offsets[at]!, one.size).view(...one.shape));
        });
      }),
    );
  }

  /** @param own [part]: this rank's part of the parameters */
  #update({ tensors, divided, first, second }: Share, own: Tensor, learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay, rateOf } = this.#options;
    const sum = (divided ?? first).gradient!;
    const known = new Map([...this.#parameters].map(([name, one]) => [one, name]));
    const byRate = new Map<number, Piece[]>();
    for (const piece of first.pieces) {
      const one = tensors[piece.index]!;
      if (!this.#moved.has(one)) continue;
      const factor = rateOf(known.get(one)!);
      byRate.set(factor, [...(byRate.get(factor) ?? []), piece]);
    }
    const stepsOf = ({ index }: Piece): Tensor => {
      const one = tensors[index]!;
      const missed = this.#missed.get(known.get(one)!) ?? 0;
      return full([], this.#step - missed, { device: one.device });
    };
    tidy(() =>
      noGrad(() => {
        for (const [factor, pieces] of byRate) {
          const sliced = (of: Tensor): Tensor[] =>
            pieces.map(({ at, length }) => of.narrow(0, at, length));
          ops.fusedAdamw_(
            ...([sliced(own), sliced(sum), sliced(first.part), sliced(second.part), []] as const),
            pieces.map(stepsOf),
            learningRate * factor,
            ...([beta1, beta2, weightDecay, epsilon, false, false] as const),
          );
        }
      }),
    );
  }

  /** @throws Error always: the step needs the other processes */
  step(): never {
    throw new Error('an optimiser that processes share steps with all of them: stepTogether');
  }

  zeroGrad(): void {
    clearGradients(this.#parameters.values());
    for (const { divided, first } of this.#shares) (divided ?? first).forgetGradients();
  }

  /** That of {@link AdamW}, with divided moments: `withElements` reads them. */
  state(): OptimiserState {
    const byParameter = new Map(
      this.#shares.flatMap(({ tensors, first, second }) =>
        tensors.map((one, at) => [one, [first.tensors[at]!, second.tensors[at]!]] as const),
      ),
    );
    const tensors = new Map<string, Tensor>();
    for (const [which, kind] of momentKinds.entries()) {
      for (const [name, one] of this.#parameters) {
        tensors.set(`${name}.${kind}`, byParameter.get(one)![which]!);
      }
    }
    if (this.#missed.size === 0) return { step: this.#step, tensors };
    return { step: this.#step, tensors, missed: Object.fromEntries(this.#missed) };
  }

  restore({ step, tensors, missed = {} }: SavedOptimiserState): void {
    restoreTensors(this.state().tensors, tensors, assignElements);
    this.#step = step;
    this.#missed = new Map(Object.entries(missed));
  }

  dispose(): void {
    this.#exchange?.[Symbol.dispose]();
    for (const { first, second } of this.#shares) {
      first[Symbol.dispose]();
      second[Symbol.dispose]();
    }
  }
}

const momentKinds = ['first_moment', 'second_moment'] as const;

/** Copies pieces of tensors to their places in a part. @returns the part */
function copied(tensors: readonly Tensor[], pieces: readonly Piece[], part: Tensor): Tensor {
  noGrad(() => {
    for (const { index, from, length, at } of pieces) {
      const flat = tensors[index]!.detach().reshape(-1);
      part.narrow(0, at, length).copy_(flat.narrow(0, from, length));
    }
  });
  return part;
}
