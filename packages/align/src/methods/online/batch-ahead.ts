// The next rollout batch, sampled by servers while the policy trains on this one. A checkpoint has
// the weights that it is sampled with, so that a resumed run asks for the same answers again.
import { copyAdapter, type LanguageModel, mixAdapter, type Role } from '@keel/model';
import { phase, type Tensor } from '@keel/torch';
import type { SamplerState } from '../../data/shuffle.ts';
import type { PlacedPrompt, PromptSource } from '../../rollouts/prompt-source.ts';
import type { RolloutWorker } from '../../rollouts/rollout-worker.ts';
import type { TaskState } from '../../training/training-task.ts';

const PREFIX = 'ahead/';

interface Next {
  /** Index of the batch in the run. */
  number: number;
  /** Number of optimizer steps of the policy that samples it. */
  version: number;
  /** Where the source was before its prompts were read. */
  sampler: SamplerState;
  epoch: number;
  /** null: it is to be asked for again, after a checkpoint was read. */
  prompts: PlacedPrompt[] | null;
}

export interface BatchAheadParts {
  model: LanguageModel;
  /** The role that is trained. */
  role: Role;
  source: PromptSource;
  worker: RolloutWorker;
  /** Prompts of a batch. */
  batchSize: number;
}

export class BatchAhead {
  /** The policy as it was when the batch was started. */
  readonly #weights: Role = 'sampler';
  readonly #parts: BatchAheadParts;
  readonly #tensors: Map<string, Tensor>;
  #next: Next | null = null;

  /** @throws RangeError if the policy is no adapter */
  constructor(parts: BatchAheadParts) {
    this.#parts = parts;
    this.#tensors = copyAdapter(parts.model.decoder, parts.role, this.#weights);
  }

  /** Where the source is without the prompts of this batch; null: no batch is sampled. */
  get before(): Pick<Next, 'sampler' | 'epoch'> | null {
    return this.#next;
  }

  /**
   * Has the servers sample the next batch with the policy as it is now; does nothing if one is
   * already sampled.
   * @param version of the policy
   */
  async start(number: number, version: number): Promise<void> {
    if (this.#next !== null) return;
    const { model, role, source } = this.#parts;
    mixAdapter(model.decoder, role, this.#weights, 1);
    this.#next = {
      ...{ number, version, prompts: null },
      ...{ sampler: source.state(), epoch: source.epoch },
    };
    await this.startAgain();
  }

  /** After a checkpoint was read: has the servers sample the batch that it names. */
  async startAgain(): Promise<void> {
    const { source, worker, batchSize } = this.#parts;
    const next = this.#next;
    if (next === null || next.prompts !== null) return;
    next.prompts = await phase('data', () => source.next(batchSize));
    const how = { version: next.version, weights: this.#weights };
    const { prompts, number } = next;
    await phase('rollout', () => worker.startAhead(prompts, number, how));
  }

  /** The prompts of the batch, which is awaited by whoever samples them; null: none is sampled. */
  take(): PlacedPrompt[] | null {
    const prompts = this.#next?.prompts ?? null;
    this.#next = null;
    return prompts;
  }

  state(): TaskState {
    if (this.#next === null) return { values: {}, tensors: new Map() };
    const { number, version } = this.#next;
    return {
      values: { ahead: { number, version } },
      tensors: new Map([...this.#tensors].map(([key, tensor]) => [PREFIX + key, tensor])),
    };
  }

  /** @throws Error if the state has no weights of this adapter */
  check({ values: { ahead = null }, tensors }: TaskState): void {
    if (ahead === null) return;
    const { number, version } = ahead as Record<string, unknown>;
    const fits = [...this.#tensors].every(
      ([key, own]) => tensors.get(PREFIX + key)?.shape.join() === own.shape.join(),
    );
    if (fits && [number, version].every(Number.isInteger)) return;
    throw new Error(
      'the saved state does not have the weights that the next batch is sampled with',
    );
  }

  /** After the source has read its state. @throws Error like `check` */
  restore(state: TaskState): void {
    this.check(state);
    this.#next = null;
    const { ahead = null } = state.values;
    if (ahead === null) return;
    const { source } = this.#parts;
    const { number, version } = ahead as { number: number; version: number };
    for (const [key, own] of this.#tensors) own.copy_(state.tensors.get(PREFIX + key)!);
    const { epoch } = source;
    this.#next = { number, version, sampler: source.state(), epoch, prompts: null };
  }
}
