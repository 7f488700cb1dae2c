// A profile: which operators ran when, for how long, on what, and how memory went.
import { native } from './native.ts';

/** One thing that a profile saw. Times are nanoseconds since the profile began. */
export interface ProfileEvent {
  /**
   * `operator`: one call, backward's among them; `range`: a stretch named with {@link
   * Profiler.range}; `memory`: bytes were taken (or, below zero, given back).
   */
  kind: 'operator' | 'range' | 'memory';
  /** The operator's, as `aten::mm`; of memory the device's, as `cpu`. */
  name: string;
  /** Tensors that an operator was given, as `[1720, 576] bfloat16`; empty where there are none. */
  inputs: string;
  start: number;
  duration: number;
  /** LibTorch's number of the thread; 0 for memory. */
  thread: number;
  bytes: number;
}

const kinds = ['operator', 'range', 'memory'] as const;
const columns = 7;

/** Own operators' backward has its C++ class as its name. */
const readableName = (name: string): string =>
  name.replace(
    /torch::autograd::CppNode<(?:keel::)?(?:\(anonymous namespace\)::)?(\w+)>/,
    'keel::$1 backward',
  );

export interface ProfilerOptions {
  /**
   * Operators that are recorded at most, the first ones; ranges always are. A million take some 450
   * MB.
   */
  mostOperators?: number;
}

/**
 * Records every operator from its construction to `stop`, with its inputs' shapes and the memory it
 * takes, on this thread and in autograd's. A process takes one profile at a time. Of work on an
 * accelerator it sees the launch.
 */
export class Profiler implements Disposable {
  #running = true;
  #open = 0;
  #missed = 0;

  /** @throws Error when a profile is being taken already */
  constructor({ mostOperators = 1_500_000 }: ProfilerOptions = {}) {
    native.profileStart(mostOperators);
  }

  /**
   * Operators that were not recorded, since there were more than `mostOperators`; known once it was
   * stopped.
   */
  get missed(): number {
    return this.#missed;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Names what follows, until `endRange`. */
  range(name: string): void {
    if (!this.#running) return;
    native.profileRange(name);
    this.#open += 1;
  }

  /** Ends the innermost open range; nothing where `stop` has ended it. */
  endRange(): void {
    if (!this.#running || this.#open === 0) return;
    native.profileRangeEnd();
    this.#open -= 1;
  }

  /**
   * Ends the profile, and the ranges still open. @returns its events by their start; none the
   * second time
   */
  stop(): ProfileEvent[] {
    if (!this.#running) return [];
    this.#running = false;
    const { names, inputs, events, missed } = native.profileStop();
    this.#missed = missed;
    const readable = names.map(readableName);
    const all = Array.from({ length: events.length / columns }, (_, row): ProfileEvent => {
      const [kind, name, given, start, duration, thread, bytes] = events.subarray(
        row * columns,
        (row + 1) * columns,
      );
      return {
        kind: kinds[kind!]!,
        name: readable[name!]!,
        inputs: inputs[given!]!,
        start: start!,
        duration: duration!,
        thread: thread!,
        bytes: bytes!,
      };
    });
    // Of two that begin together, the longer one is around the other.
    return all.sort((a, b) => a.start - b.start || b.duration - a.duration);
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
