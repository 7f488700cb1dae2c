// Decides which evaluation gives the run's result, and whether to stop early. The semantics are
// those of transformers (load_best_model_at_end, EarlyStoppingCallback). The evaluation before
// training does not count, and only a strictly better value is a new best. To delay stopping, an
// improvement must exceed the threshold.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '@keel/model';
import {
  assignElements,
  fromBytes,
  noGrad,
  type Tensor,
  tidy,
  withElements,
  zeros,
} from '@keel/torch';
import type { BestOptions } from '../config/following-options.ts';
import { nearest } from '../config/nearest.ts';
import { removeFolderAtomic, writeFolderAtomic } from '../files/atomic-write.ts';
import type { MetricsRow } from '../runs/metrics.ts';
import { workers } from '../sharing/workers.ts';
import type { Notice } from './run-data.ts';
import { bytesOf, loaded, stored } from './training-state.ts';

export interface BestResultParts {
  options: BestOptions;
  /** The run's folder for the weights of the best evaluation. */
  path: string;
  /** Whether this process writes them: of several, only rank 0 does. */
  writes: boolean;
  /** Trained parameters by name. */
  parameters: ReadonlyMap<string, Tensor>;
  /** Metrics whose better direction is known. */
  known: readonly { metric: string; better: 'higher' | 'lower' | null }[];
  /** Whether the run saves checkpoints, which decides when earlier bests can be removed. */
  savesCheckpoints: boolean;
  notice: Notice;
}

const WEIGHTS = 'parameters.safetensors';

/** Which values are better, for metrics that no report shows at its top. */
const goals: Readonly<Record<string, 'higher' | 'lower'>> = {
  eval_loss: 'lower',
  eval_perplexity: 'lower',
  'eval_objective/kl': 'lower',
  eval_calibration_error: 'lower',
  eval_accuracy: 'higher',
  eval_eos_rate: 'higher',
  eval_margin: 'higher',
  eval_mean_token_accuracy: 'higher',
  eval_reward: 'higher',
  'eval_rewards/accuracies': 'higher',
  'eval_rewards/best_first': 'higher',
  'eval_rewards/margins': 'higher',
};

export class BestResult {
  readonly #parts: BestResultParts;
  readonly #metric: string;
  readonly #goal: 'higher' | 'lower';
  #best: { step: number; value: number } | null = null;
  /** Evaluations in a row without a better value. */
  #waited = 0;

  /**
   * @returns null without --best-metric
   * @throws Error if the better direction of the metric is unknown
   */
  static of(parts: BestResultParts): BestResult | null {
    return parts.options.bestMetric === null ? null : new BestResult(parts);
  }

  private constructor(parts: BestResultParts) {
    this.#parts = parts;
    // As in transformers, the prefix is optional. Suites' metrics have another one.
    const { bestMetric, bestMetricGoal } = parts.options;
    const name = bestMetric!;
    this.#metric = /^(eval_|suite\/)/.test(name) ? name : `eval_${name}`;
    const goal = bestMetricGoal ?? this.#knownGoal();
    if (goal === null) {
      throw new Error(
        `--best-metric ${name}: it is unclear whether higher or lower values are better. Pass --best-metric-goal higher or lower`,
      );
    }
    this.#goal = goal;
  }

  #knownGoal(): 'higher' | 'lower' | null {
    const known = this.#parts.known.find(({ metric }) => metric === this.#metric)?.better;
    if (known) return known;
    return goals[this.#metric] ?? null;
  }

  /** Whether to end the run. */
  get stops(): boolean {
    const { earlyStoppingPatience: patience } = this.#parts.options;
    return patience !== null && this.#waited >= patience;
  }

  /** The step whose weights are the result; null before the first evaluation of a step. */
  get chosen(): { step: number; value: number; metric: string } | null {
    return this.#best && { ...this.#best, metric: this.#metric };
  }

  /** Restores the best value from the evaluations of the resumed run. */
  resume(rows: readonly MetricsRow[]): void {
    for (const row of rows) if (row[this.#metric] !== undefined) this.#take(row.step, row);
    const { notice } = this.#parts;
    if (this.#best === null || existsSync(this.#folder(this.#best.step))) return;
    notice(
      `the weights of the best evaluation, after step ${this.#best.step}, are missing. The result is chosen from later evaluations`,
    );
    this.#best = null;
  }

  /**
   * Compares an evaluation, and saves the weights if it is the best so far. All processes call it.
   * @throws Error if it lacks the metric
   */
  async evaluated(step: number, metrics: Readonly<Record<string, number>>): Promise<void> {
    if (metrics[this.#metric] === undefined) this.#refuse(metrics);
    if (!this.#take(step, metrics)) return;
    const write = async (): Promise<void> => {
      if (!this.#parts.writes) return;
      await writeFolderAtomic(this.#folder(step), (folder) => this.#save(folder));
    };
    // The others take part in reading what is divided.
    await (workers()?.gather(write) ?? write());
    if (!this.#parts.savesCheckpoints) await this.removeOlder();
  }

  /** @returns whether it is the best so far */
  #take(step: number, metrics: Readonly<Record<string, number>>): boolean {
    if (step === 0) return false;
    const value = metrics[this.#metric]!;
    const gain = this.#best === null ? Infinity : this.#gain(value, this.#best.value);
    const better = Number.isFinite(value) && gain > 0;
    const { earlyStoppingThreshold } = this.#parts.options;
    this.#waited = better && gain > (earlyStoppingThreshold ?? 0) ? 0 : this.#waited + 1;
    if (better) this.#best = { step, value };
    return better;
  }

  #gain = (value: number, before: number): number =>
    this.#goal === 'higher' ? value - before : before - value;

  /**
   * Removes the weights of earlier bests. Call it only after a checkpoint is written: resuming from
   * an older checkpoint needs the weights that were the best at that step.
   */
  async removeOlder(): Promise<void> {
    const { path, writes } = this.#parts;
    if (!writes || !existsSync(path)) return;
    for (const name of readdirSync(path)) {
      const step = Number(/^step-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
      if (step !== this.#best?.step && !Number.isNaN(step)) {
        await removeFolderAtomic(join(path, name));
      }
    }
  }

  /** Replaces the current weights with the best ones. All processes call it. */
  async load(): Promise<void> {
    const { parameters, writes } = this.#parts;
    const together = workers();
    using opened = new DisposableStack();
    const files: ReturnType<typeof openSafetensors>[] = [];
    const open = (): void => {
      if (!writes) return;
      files.push(opened.use(openSafetensors(join(this.#folder(this.#best!.step), WEIGHTS))));
    };
    // What goes wrong in rank 0 ends all of them.
    await (together?.gather(open) ?? open());
    const [file] = files;
    for (const [name, parameter] of parameters) {
      const read = (): Tensor =>
        tidy(() => {
          const { shape, dtype } = parameter;
          if (file === undefined) return zeros(shape, { dtype });
          return fromBytes(file.read(name), loaded.get(file.info(name).dtype)!, shape);
        }).keep();
      using kept = new DisposableStack();
      let best!: Tensor;
      const take = (): void => {
        best = kept.use(read());
      };
      await (together?.gather(take) ?? take());
      await together?.broadcast([best]);
      noGrad(() => assignElements(parameter, best));
    }
  }

  #save(folder: string): void {
    function* tensors(parameters: ReadonlyMap<string, Tensor>) {
      for (const [name, tensor] of parameters) {
        const about = { name, dtype: stored[tensor.dtype]!, shape: [...tensor.shape] };
        yield { ...about, data: () => withElements(tensor, bytesOf) };
      }
    }
    tidy(() => writeSafetensors(join(folder, WEIGHTS), tensors(this.#parts.parameters)));
  }

  #folder = (step: number): string => join(this.#parts.path, `step-${step}`);

  #refuse(metrics: Readonly<Record<string, number>>): never {
    const names = Object.keys(metrics);
    const near = nearest(this.#metric, names);
    const hint = near === null ? '' : ` Did you mean ${near}?`;
    throw new Error(
      `--best-metric ${this.#parts.options.bestMetric}: evaluations have no ${this.#metric}.${hint} They have ${names.join(', ')}`,
    );
  }
}
