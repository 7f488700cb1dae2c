// AdamW whose moments are divided among processes: each has those of its part of the parameters,
// updates it, and sends it to the others (ZeRO-1: Rajbhandari et al. 2020, arXiv:1910.02054,
// section 5.1). The sums are those of `reduceGradients` and the update is AdamW's, so that a step
// is that of one process; only the norm for clipping is added in another order.
import { noGrad } from '../autograd.ts';
import { full, zeros } from '../create.ts';
import * as ops from '../ops.generated.ts';
import type { AdamWOptions } from '../optimisers/adamw.ts';
import {
  clearGradients,
  type OptimiserState,
  refuseShared,
  type SharedOptimiser,
} from '../optimisers/optimiser.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { type Bucket, bucketsOf, sumOfPart } from './buckets.ts';
import type { ProcessGroup } from './process-group.ts';
import { fillMissing, gradientsOf, oneAhead, withGradient } from './reduce-gradients.ts';

/** What a rank has of a parameter: `length` of its elements, row-major. */
interface Slice {
  parameter: Tensor;
  /** First element in the rank's part of the bucket. */
  offset: number;
  length: number;
  first: Tensor;
  second: Tensor;
}

interface Share {
  bucket: Bucket;
  slices: Slice[];
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
  /** [part] of each bucket: the sums of the gradients of the step. */
  #sums: Tensor[] = [];
  #moved = new Set<Tensor>();
  #gathered = new Map<string, Tensor>();

  constructor(group: ProcessGroup, parameters: Map<string, Tensor>, options: AdamWOptions = {}) {
    refuseShared(parameters);
    this.#group = group;
    this.#parameters = parameters;
    this.#options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, ...options };
    const buckets = bucketsOf([...parameters.values()], group.size);
    this.#shares = buckets.map((bucket) => ({ bucket, slices: slicesOf(bucket, group.rank) }));
  }

  async reduce(maximum: number): Promise<number> {
    const all = [...this.#parameters.values()];
    this.#moved = new Set(await withGradient(this.#group, all));
    fillMissing(all);
    let squares = 0;
    const sumOf = async ({ bucket }: Share): Promise<Tensor> => {
      using own = gradientsOf(bucket.tensors, (gradients) => bucket.flatten(gradients));
      clearGradients(bucket.tensors);
      return sumOfPart(this.#group, own);
    };
    for await (const { found: sum } of oneAhead(this.#shares, sumOf)) {
      this.#sums.push(sum);
      squares +=
        tidy(() => noGrad(() => ops.linalgVectorNorm(sum, 2, null, false, 'float64').item())) ** 2;
    }
    const told = await this.#group.gatherBytes(new Uint8Array(Float64Array.of(squares).buffer));
    const total = told.reduce((sum, bytes) => sum + new Float64Array(bytes.slice().buffer)[0]!, 0);
    const norm = Math.sqrt(total);
    const factor = maximum / (norm + 1e-6);
    if (maximum > 0 && factor < 1) noGrad(() => ops.foreachMulScalar_(this.#sums, factor));
    return norm;
  }

  async stepTogether(learningRate: number): Promise<void> {
    this.#step += 1;
    for (const [name, one] of this.#parameters) {
      if (!this.#moved.has(one)) this.#missed.set(name, (this.#missed.get(name) ?? 0) + 1);
    }
    const missed = new Map(
      [...this.#parameters].map(([name, one]) => [one, this.#missed.get(name) ?? 0]),
    );
    for (const [at, { bucket, slices }] of this.#shares.entries()) {
      using flat = bucket.flatten(bucket.tensors); // [ranks, part]
      // [part]
      using own = tidy(() => noGrad(() => flat.select(0, this.#group.rank).clone())).keep();
      this.#update(slices, { own, sum: this.#sums[at]!, missed, learningRate });
      using parts = await this.#group.allGather(own); // [ranks, part]
      bucket.scatter(parts, bucket.tensors);
    }
    this.#freeSums();
  }

  #update(
    slices: readonly Slice[],
    {
      own,
      sum,
      missed,
      learningRate,
    }: {
      own: Tensor;
      sum: Tensor;
      missed: ReadonlyMap<Tensor, number>;
      learningRate: number;
    },
  ): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const moved = slices.filter(({ parameter }) => this.#moved.has(parameter));
    if (moved.length === 0) return;
    tidy(() =>
      noGrad(() =>
        ops.fusedAdamw_(
          moved.map(({ offset, length }) => own.narrow(0, offset, length)),
          moved.map(({ offset, length }) => sum.narrow(0, offset, length)),
          moved.map(({ first }) => first),
          moved.map(({ second }) => second),
          [],
          moved.map(({ parameter }) =>
            full([], this.#step - missed.get(parameter)!, { device: parameter.device }),
          ),
          learningRate,
          beta1,
          beta2,
          weightDecay,
          epsilon,
          false,
          false,
        ),
      ),
    );
  }

  /** @throws Error always: the step needs the other processes */
  step(): never {
    throw new Error('an optimiser that processes share steps with all of them: stepTogether');
  }

  zeroGrad(): void {
    clearGradients(this.#parameters.values());
  }

  async gatherState(): Promise<void> {
    this.#freeGathered();
    const names = new Map([...this.#parameters].map(([name, one]) => [one, name]));
    for (const { bucket, slices } of this.#shares) {
      for (const moment of ['first', 'second'] as const) {
        using own = tidy(() => {
          const [one] = bucket.tensors;
          const flat = zeros([bucket.part], { dtype: one!.dtype, device: one!.device });
          for (const slice of slices)
            flat.narrow(0, slice.offset, slice.length).copy_(slice[moment]);
          return flat;
        }).keep();
        using parts = await this.#group.allGather(own); // [ranks, part]
        const whole = bucket.tensors.map((one) =>
          zeros(one.shape, { dtype: one.dtype, device: one.device }).keep(),
        );
        bucket.scatter(parts, whole);
        bucket.tensors.forEach((one, at) => {
          this.#gathered.set(`${names.get(one)!}.${moment}_moment`, whole[at]!);
        });
      }
    }
  }

  /** That of {@link AdamW} with all moments, as of the last {@link gatherState}. */
  state(): OptimiserState {
    const order = [...this.#parameters.keys()];
    const tensors = new Map(
      (['first', 'second'] as const).flatMap((moment) =>
        order.map((name) => {
          const key = `${name}.${moment}_moment`;
          return [key, this.#gathered.get(key)!] as const;
        }),
      ),
    );
    if (this.#missed.size === 0) return { step: this.#step, tensors };
    return { step: this.#step, tensors, missed: Object.fromEntries(this.#missed) };
  }

  restore({ step, tensors, missed = {} }: OptimiserState): void {
    const names = new Map([...this.#parameters].map(([name, one]) => [one, name]));
    for (const moment of ['first', 'second'] as const) {
      for (const [name, one] of this.#parameters) {
        const saved = tensors.get(`${name}.${moment}_moment`);
        if (saved === undefined || `${saved.shape}` !== `${one.shape}`) {
          throw new Error(
            `the saved optimiser state lacks "${name}.${moment}_moment", or has another shape`,
          );
        }
      }
    }
    for (const moment of ['first', 'second'] as const) {
      for (const { bucket, slices } of this.#shares) {
        const saved = bucket.tensors.map(
          (one) => tensors.get(`${names.get(one)!}.${moment}_moment`)!,
        );
        using flat = bucket.flatten(saved);
        tidy(() => {
          const own = flat.select(0, this.#group.rank);
          for (const slice of slices)
            slice[moment].copy_(own.narrow(0, slice.offset, slice.length));
        });
      }
    }
    this.#step = step;
    this.#missed = new Map(Object.entries(missed));
  }

  dispose(): void {
    this.#freeSums();
    this.#freeGathered();
    for (const { slices } of this.#shares) {
      for (const { first, second } of slices) {
        first.dispose();
        second.dispose();
      }
    }
  }

  #freeSums(): void {
    for (const one of this.#sums) one.dispose();
    this.#sums = [];
  }

  #freeGathered(): void {
    for (const one of this.#gathered.values()) one.dispose();
    this.#gathered.clear();
  }
}

function slicesOf(bucket: Bucket, rank: number): Slice[] {
  const [from, to] = [rank * bucket.part, (rank + 1) * bucket.part];
  const slices: Slice[] = [];
  let start = 0;
  for (const parameter of bucket.tensors) {
    const [first, last] = [Math.max(from, start), Math.min(to, start + parameter.size)];
    start += parameter.size;
    if (last <= first) continue;
    const { dtype, device } = parameter;
    const moment = (): Tensor => zeros([last - first], { dtype, device }).keep();
    slices.push({
      ...{ parameter, offset: first - from, length: last - first },
      ...{ first: moment(), second: moment() },
    });
  }
  return slices;
}
