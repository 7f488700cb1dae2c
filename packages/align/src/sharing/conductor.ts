// Programs of several trainings (recipes, comparisons): rank 0 runs the program, and the other
// processes take part in each of its trainings.
import { setImmediate, setTimeout } from 'node:timers/promises';
import { GroupError, ProcessGroup, readLaunch } from '@keel/torch';
import { packValue, unpackValue } from './shared-values.ts';

/** What rank 0 tells the others; an empty message only says that it is alive. */
type Message = { job: unknown } | { end: true };

export class Conductor implements AsyncDisposable {
  readonly #group: ProcessGroup;
  /** Ends the signs of life. */
  #stop: (() => Promise<void>) | null = null;

  private constructor(group: ProcessGroup) {
    this.#group = group;
    this.rest();
  }

  /**
   * Joins the processes that were started with this one.
   * @param seconds that a process waits for a sign of life of the others
   * @returns null if this is the only process
   * @throws GroupError naming the ranks that do not come
   */
  static async begin(seconds: number): Promise<Conductor | null> {
    const launch = readLaunch();
    if (launch === null) return null;
    const own = { ...launch, attempt: `${launch.attempt}/trainings` };
    return new Conductor(await ProcessGroup.join(own, { timeout: seconds }));
  }

  get group(): ProcessGroup {
    return this.#group;
  }

  /** Whether rank 0 says what this process does. */
  get follows(): boolean {
    return this.#group.rank > 0;
  }

  /** Rank 0: a training begins, in which all take part. */
  async announce(job: unknown): Promise<void> {
    await this.#send({ job });
  }

  /** Rank 0: the training has ended. The others wait for the next one, however long it takes. */
  rest(): void {
    if (this.follows) return;
    const stop = new AbortController();
    const signs = (async () => {
      const how = { ref: false, signal: stop.signal };
      const pause = (): Promise<unknown> =>
        setTimeout(300 * this.#group.timeout, null, how).catch(() => {});
      for (await pause(); !stop.signal.aborted; await pause()) {
        await this.#group.gatherBytes(new Uint8Array(0));
      }
    })();
    signs.catch(() => {});
    this.#stop = () => {
      stop.abort();
      return signs;
    };
  }

  /** Other ranks: what rank 0 announces next; null: it has ended. */
  async next(): Promise<unknown> {
    for (;;) {
      await setImmediate();
      const [bytes] = await this.#group.gatherBytes(new Uint8Array(0));
      if (bytes!.length === 0) continue;
      const message = unpackValue(bytes!) as Message;
      return 'end' in message ? null : message.job;
    }
  }

  async #send(message: Message): Promise<void> {
    await this.#stop?.();
    this.#stop = null;
    await this.#group.gatherBytes(packValue(message));
  }

  /** Rank 0 tells the others that nothing follows. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.follows) await this.#send({ end: true });
      await this.#group.close();
    } catch (error) {
      // The training that lost a process has said so.
      if (!(error instanceof GroupError)) throw error;
    }
  }
}
