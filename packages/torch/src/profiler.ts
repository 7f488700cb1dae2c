// A profile: which operators ran when, for how long, on which inputs, and how memory use changed.
import { native } from './native.ts';

/** One entry of a profile. Times are nanoseconds since the profile started. */
export interface ProfileEvent {
  /**
   * `operator`: one call, including those of backward; `range`: a range named with {@link
   * Profiler.range}; `memory`: bytes that were allocated (or, if negative, freed).
   */
  kind: 'operator' | 'range' | 'memory';
  /** The operator's name, such as `aten::mm`; for memory the device's, such as `cpu`. */
  name: string;
  /** The operator's tensor inputs, such as `[1720, 576] bfloat16`; empty if there are none. */
  inputs: string;
  start: number;
  duration: number;
  /** LibTorch's thread number; 0 for memory. */
  thread: number;
  bytes: number;
}

const kinds = ['operator', 'range', 'memory'] as const;
const columns = 7;

/** The backward pass of Keel's own operators is named by its C++ class. */
const readableName = (name: string): string =>
  name.replace(
    /torch::autograd::CppNode<(?:keel::)?(?:\(anonymous namespace\)::)?(\w+)>/,
    'keel::$1 backward',
  );

export interface ProfilerOptions {
  /**
   * Maximum number of operators to record, the first ones (default: 1,500,000); ranges are always
   * recorded. A million operators take about 450 MB.
   */
  mostOperators?: number;
}

/**
 * Records every operator from its construction to `stop`, with its inputs' shapes and its memory
 * use, on this thread and on autograd's. A process can take one profile at a time. For work on an
 * accelerator it records only the launch.
 */
export class Profiler implements Disposable {
  #running = true;
  #open = 0;
  #missed = 0;

  /** @throws Error if a profile is already being taken */
  constructor({ mostOperators = 1_500_000 }: ProfilerOptions = {}) {
    native.profileStart(mostOperators);
  }

  /**
   * Number of operators that were not recorded because there were more than `mostOperators`.
   * Available after `stop`.
   */
  get missed(): number {
    return this.#missed;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Starts a named range, which lasts until `endRange`. */
  range(name: string): void {
    if (!this.#running) return;
    native.profileRange(name);
    this.#open += 1;
  }

  /** Ends the innermost open range. It has no effect if `stop` has ended it. */
  endRange(): void {
    if (!this.#running || this.#open === 0) return;
    native.profileRangeEnd();
    this.#open -= 1;
  }

  /**
   * Ends the profile, and the ranges that are still open. @returns its events, ordered by start;
   * none on a second call
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
    // If two events start together, the longer one contains the other.
    return all.sort((a, b) => a.start - b.start || b.duration - a.duration);
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
