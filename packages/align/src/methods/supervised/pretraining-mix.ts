// PPO-ptx (Ouyang et al. 2022, arXiv:2203.02155, eq. 2): the policy's loss plus gamma times that of
// pretraining text, -gamma E[log pi(x)], so that the model does not forget it. As in SFT, the loss
// is the mean over the scored tokens of a step.
import { phase } from '@keel/torch';
import type { PackedExamples } from '../../batching/pack-examples.ts';
import type { SamplerState } from '../../data/shuffle.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import { type ExamplePassesParts, learnExamples } from './example-passes.ts';
import type { ExampleSource } from './example-source.ts';
import type { SupervisedTotals } from './supervised-totals.ts';

export interface PretrainingMixParts {
  source: ExampleSource;
  /** Rows of each optimizer step. */
  batchSize: number;
  /** Ouyang et al.'s gamma. */
  coefficient: number;
}

export class PretrainingMix {
  readonly #parts: PretrainingMixParts;

  constructor(parts: PretrainingMixParts) {
    this.#parts = parts;
  }

  get coefficient(): number {
    return this.#parts.coefficient;
  }

  /**
   * Adds the gradient of gamma times the mean loss of the next rows.
   * @throws DataError where a row cannot be used; Error where the loss is not finite
   */
  async learn(
    passes: Omit<ExamplePassesParts, 'neftuneAlpha'>,
    count: (batch: PackedExamples) => void,
  ): Promise<SupervisedTotals> {
    const { source, batchSize, coefficient } = this.#parts;
    const placed = await phase('data', () => source.next(batchSize));
    try {
      return await learnExamples({ ...passes, neftuneAlpha: null }, placed, {
        ...{ weight: coefficient, count },
      });
    } catch (error) {
      // Its rows are not those of --data.
      if (!(error instanceof NonFiniteLossError)) throw error;
      throw new Error(`--pretraining-data: ${error.message}`, { cause: error });
    }
  }

  state(): SamplerState {
    return this.#parts.source.state();
  }
  /** @throws RangeError where the state is that of other rows */
  check(state: SamplerState): void {
    this.#parts.source.check(state);
  }
  restore(state: SamplerState): void {
    this.#parts.source.restore(state);
  }
}
