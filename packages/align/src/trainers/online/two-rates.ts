// Two groups of parameters, the second at a multiple of the first's learning rate: AdamW's step does not see the scale of a loss.
import { AdamW, type Optimiser, type OptimiserState, type Tensor } from '@keel/torch';

export class TwoRates implements Optimiser {
  readonly #first: AdamW;
  readonly #second: AdamW;
  readonly #factor: number;
  readonly #names: ReadonlySet<string>;

  /**
   * @param belongs whether a parameter of this name is of the second group
   * @param factor its rate over the first's
   */
  constructor(
    parameters: ReadonlyMap<string, Tensor>,
    {
      belongs,
      factor,
      weightDecay,
    }: { belongs(name: string): boolean; factor: number; weightDecay: number },
  ) {
    const second = new Map([...parameters].filter(([name]) => belongs(name)));
    const first = new Map([...parameters].filter(([name]) => !belongs(name)));
    this.#first = new AdamW(first, { weightDecay });
    this.#second = new AdamW(second, { weightDecay });
    this.#factor = factor;
    this.#names = new Set(this.#second.state().tensors.keys());
  }

  step(learningRate: number): void {
    this.#first.step(learningRate);
    this.#second.step(learningRate * this.#factor);
  }

  zeroGrad(): void {
    this.#first.zeroGrad();
    this.#second.zeroGrad();
  }

  state(): OptimiserState {
    const { step, tensors } = this.#first.state();
    return { step, tensors: new Map([...tensors, ...this.#second.state().tensors]) };
  }

  restore({ step, tensors }: OptimiserState): void {
    const part = (second: boolean) =>
      new Map([...tensors].filter(([name]) => this.#names.has(name) === second));
    this.#first.restore({ step, tensors: part(false) });
    this.#second.restore({ step, tensors: part(true) });
  }

  dispose(): void {
    this.#first.dispose();
    this.#second.dispose();
  }
}
