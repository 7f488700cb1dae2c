// Two groups of parameters, the second at a multiple of the first's learning rate. Scaling a loss
// would not do, since AdamW's steps do not depend on it.
import { AdamW, type Optimiser, type OptimiserState, type Tensor } from '@keel/torch';

export class TwoRates implements Optimiser {
  readonly #first: AdamW;
  readonly #second: AdamW;
  readonly #factor: number;
  readonly #belongs: (name: string) => boolean;

  /**
   * @param belongs whether the parameter of this name is in the second group
   * @param factor ratio of its learning rate to the first group's
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
    this.#belongs = belongs;
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
    const [{ step, tensors, missed }, second] = [this.#first.state(), this.#second.state()];
    const all = { step, tensors: new Map([...tensors, ...second.tensors]) };
    if (missed === undefined && second.missed === undefined) return all;
    return { ...all, missed: { ...missed, ...second.missed } };
  }

  restore({ step, tensors, missed = {} }: OptimiserState): void {
    // A moment is named after its parameter, with a suffix.
    const owner = (name: string): string => name.slice(0, name.lastIndexOf('.'));
    const part = (second: boolean): OptimiserState => ({
      step,
      tensors: new Map([...tensors].filter(([name]) => this.#belongs(owner(name)) === second)),
      missed: Object.fromEntries(
        Object.entries(missed).filter(([name]) => this.#belongs(name) === second),
      ),
    });
    this.#first.restore(part(false));
    this.#second.restore(part(true));
  }

  dispose(): void {
    this.#first.dispose();
    this.#second.dispose();
  }
}
