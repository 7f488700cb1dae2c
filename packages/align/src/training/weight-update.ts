// One optimizer step: the task's gradients, clipping, and the update of the weights, in one process
// or several.
import {
  clipGradients,
  clipOnDevice,
  isShared,
  isSkipping,
  later,
  type Optimiser,
  ops,
  phase,
  type SkippingOptimiser,
  type Tensor,
  tidy,
} from '@keel/torch';
import type { StepGradients } from '../sharing/workers.ts';
import { type UpdateWeights, withUpdate } from './end-of-step.ts';
import { type Metrics, NonFiniteLossError, type TrainingTask } from './training-task.ts';

export interface WeightUpdateParts {
  task: TrainingTask;
  parameters: ReadonlyMap<string, Tensor>;
  optimiser: Optimiser;
  /** Largest joint norm of the gradients; null: no clipping. */
  maxGradNorm: number | null;
  /** Of processes that train together; null: there is one. */
  gradients: StepGradients | null;
}

export class WeightUpdate {
  readonly #parts: WeightUpdateParts;
  readonly #clip: number;
  /** Whether the optimizer has updated some weights, and perhaps not all. */
  torn = false;

  constructor(parts: WeightUpdateParts) {
    this.#parts = parts;
    this.#clip = parts.maxGradNorm ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Runs a step of the task, and updates the weights.
   * @returns the step's metrics, with the norm of the gradient
   * @throws NonFiniteLossError when the loss or the gradient is not finite; the weights are those
   *   before the step then
   */
  async step(learningRate: number): Promise<Metrics> {
    const { task, optimiser, parameters, gradients } = this.#parts;
    const [first] = parameters.values();
    const onDevice = first !== undefined && first.device !== 'cpu';
    if (gradients === null && onDevice && isSkipping(optimiser)) {
      return this.#stepOnDevice(learningRate, optimiser);
    }
    const metrics = await task.step();
    metrics.grad_norm = await this.#update(learningRate);
    return metrics;
  }

  /** @returns the norm of the gradient */
  async #update(learningRate: number): Promise<number> {
    const { optimiser, parameters, gradients } = this.#parts;
    let norm: number;
    if (isShared(optimiser)) {
      norm = this.#checked(await phase('all-reduce', () => optimiser.reduce(this.#clip)));
      this.torn = true;
      await phase('optimiser', () => optimiser.stepTogether(learningRate));
    } else {
      if (gradients !== null) await phase('all-reduce', () => gradients.reduce());
      norm = phase('optimiser', () => {
        const found = this.#checked(clipGradients(parameters.values(), this.#clip));
        this.torn = true;
        optimiser.step(learningRate);
        optimiser.zeroGrad();
        return found;
      });
    }
    this.torn = false;
    return norm;
  }

  /**
   * A step that waits for the device once, after the update: that must change nothing where the
   * loss or the gradient turns out not to be finite.
   */
  async #stepOnDevice(learningRate: number, optimiser: SkippingOptimiser): Promise<Metrics> {
    const { task, parameters } = this.#parts;
    let norm: number | null = null;
    let skipped = false;
    const update: UpdateWeights = (losses) =>
      phase('optimiser', () =>
        tidy(() => {
          using length = clipOnDevice(parameters.values(), this.#clip); // []
          const all = losses.flatMap(({ numbers }) => numbers ?? []);
          const sum = all.reduce((sum, loss) => sum.add(loss.sum()), length.to('float64')); // []
          this.torn = true;
          const skip = ops.isfinite(sum).logicalNot().to('float32'); // []
          optimiser.step(learningRate, skip);
          optimiser.zeroGrad();
          return [
            later({ length, skip }, (read) => {
              norm = read.length[0]!;
              skipped = read.skip[0] === 1;
            }),
          ];
        }),
      );
    let metrics: Metrics;
    try {
      metrics = await withUpdate(update, () => task.step());
      if (norm !== null) metrics.grad_norm = this.#checked(norm);
    } catch (error) {
      if (skipped) {
        optimiser.takeBack();
        this.torn = false;
      }
      throw error;
    }
    // The task has not said where its gradients end.
    if (norm === null) metrics.grad_norm = await this.#update(learningRate);
    this.torn = false;
    return metrics;
  }

  #checked(norm: number): number {
    if (Number.isFinite(norm)) return norm;
    throw new NonFiniteLossError(`the norm of the gradient is ${norm}`, this.#parts.task.rows);
  }
}
