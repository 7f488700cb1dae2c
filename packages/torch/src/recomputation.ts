// Gradient checkpointing: parts of a forward pass hold only their inputs, and backward computes
// them again. LibTorch runs backward on threads that cannot call JavaScript (a device's). Backward
// is therefore driven from here, part by part, instead of by callbacks.
import { noGrad } from './autograd.ts';
import type { Device } from './dtype.ts';
import { native } from './native.ts';
import { randomState, setRandomState } from './random.ts';
import { tidy } from './scope.ts';
import { atOnce, type Steps } from './steps.ts';
import type { Tensor } from './tensor.ts';

/** Weights that must be gathered before they are used, where processes divide them. */
export interface Gathered {
  hold(): Steps<void>;
  /** These weights are held next but one. */
  prefetch(): void;
  release(): void;
  /** Gives the gradients to the processes that have the weights; there are none then. */
  giveGradients(): Steps<void>;
}

interface Part {
  input: Tensor;
  output: Tensor;
  body: (input: Tensor) => Tensor;
  /** What the body uses; null: weights that are there. */
  weights: Gathered | null;
  /** The random states when the body ran, so that dropout draws the same masks again. */
  random: RandomStates;
}

type RandomStates = ReadonlyMap<Device, Uint8Array>;

/**
 * The parts of one forward pass that are computed twice (Chen et al. 2016, arXiv:1604.06174).
 * Gradients match those of a pass that holds everything bit for bit. It owns what it holds: dispose
 * it after the pass.
 */
export class Recomputation implements Disposable {
  readonly #parts: Part[] = [];
  /** Leaves that replace tensors of the recorded graph below the parts. */
  readonly #standIns: { leaf: Tensor; source: Tensor }[] = [];
  readonly #owned: Tensor[] = [];
  readonly #above: Gathered[] = [];
  readonly #below: Gathered[] = [];

  /**
   * Runs `body` on `input` without recording it; {@link backward} runs it again. The first part may
   * take a recorded tensor; every other part must take the output of the one before. The input is
   * freed with this object.
   * @param body a function of its input and of leaves; it may draw random numbers on the CPU and on
   *   its input's device
   * @param weights that the body uses, where they must be gathered; they are held now
   * @returns its output, which requires a gradient and is freed with this object
   * @throws Error if the input is not the output of the part before
   */
  run(input: Tensor, body: (input: Tensor) => Tensor, weights: Gathered | null = null): Tensor {
    const before = this.#parts.at(-1);
    if (before !== undefined && before.output !== input) {
      throw new Error('the input of a recomputed part must be the output of the part before it');
    }
    const from = before === undefined ? this.standIn(this.#own(input)) : input;
    const random = randomStates(from.device);
    const output = this.#own(noGrad(() => tidy(() => body(from)))).setRequiresGrad();
    this.#parts.push({ input: from, output, body, weights, random });
    return output;
  }

  /**
   * A leaf with the elements of `source`, for use above the parts: its gradient reaches `source`
   * together with the gradient from below. Use it for a parameter that is used on both sides, so
   * that the same gradients are added in the same order.
   */
  standIn(source: Tensor): Tensor {
    if (!source.requiresGrad) return source;
    const leaf = this.#own(source.detach()).setRequiresGrad();
    this.#standIns.push({ leaf, source });
    return leaf;
  }

  /** These weights are used above the parts, and held until backward has passed there. */
  holdAbove(weights: Gathered): void {
    this.#above.push(weights);
  }

  /** These weights are used below the parts, and perhaps above them too. */
  useBelow(weights: Gathered): void {
    this.#below.push(weights);
  }

  /**
   * Adds d loss / d leaf to every leaf's gradient, as {@link Tensor.backward} does. Call it once.
   */
  backward(loss: Tensor): void {
    atOnce(this.backwardSteps(loss));
  }

  /** As {@link backward}, in steps: weights are gathered, and their gradients given, in between. */
  *backwardSteps(loss: Tensor): Steps<void> {
    for (const part of this.#parts.slice(-2).reverse()) part.weights?.prefetch();
    loss.backward();
    for (const weights of this.#above.splice(0)) {
      weights.release();
      if (!this.#below.includes(weights)) yield* weights.giveGradients();
    }
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      const { input, output, body, weights, random } = part;
      if (weights !== null) yield* weights.hold();
      this.#parts.at(-2)?.weights?.prefetch();
      tidy(() => {
        const seed = output.grad;
        output.grad = null;
        output.dispose();
        if (seed !== null) withRandomStates(random, () => body(input).backward(seed));
      });
      if (weights === null) continue;
      weights.release();
      yield* weights.giveGradients();
      yield;
    }
    tidy(() => {
      const reached = this.#standIns.flatMap(({ leaf, source }) => {
        const seed = leaf.grad;
        leaf.grad = null;
        return seed === null ? [] : [{ source, seed }];
      });
      if (reached.length === 0) return;
      native.backwardAll(
        reached.map(({ source }) => source.handle),
        reached.map(({ seed }) => seed.handle),
      );
    });
    for (const weights of this.#below.splice(0)) yield* weights.giveGradients();
  }

  /** Takes the tensor out of its scope. */
  #own(tensor: Tensor): Tensor {
    this.#owned.push(tensor.keep());
    return tensor;
  }

  /** Frees everything that it holds, also after an error. */
  [Symbol.dispose](): void {
    for (const tensor of this.#owned) tensor.dispose();
    for (const weights of this.#above.splice(0)) weights.release();
    this.#parts.length = this.#standIns.length = this.#owned.length = 0;
  }
}

function randomStates(device: Device): RandomStates {
  return new Map([...new Set<Device>(['cpu', device])].map((one) => [one, randomState(one)]));
}

/** Runs `body` with these random states, and restores the current ones. */
function withRandomStates(states: RandomStates, body: () => void): void {
  const now = new Map([...states.keys()].map((device) => [device, randomState(device)]));
  const set = (to: RandomStates): void => {
    for (const [device, state] of to) setRandomState(state, device);
  };
  try {
    set(states);
    body();
  } finally {
    set(now);
  }
}
