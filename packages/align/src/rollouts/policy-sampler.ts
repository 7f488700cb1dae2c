// Answers that a rollout worker needs, sampled in this process or by servers. Servers may start on
// the next batch early.
import type { Role } from '@keel/model';
import { phase } from '@keel/torch';
import { hiddenToken } from '../batching/hidden-token.ts';
import type { OnlineParts } from './online-parts.ts';
import type { PlacedPrompt } from './prompt-source.ts';
import {
  type SampledRollouts,
  type SamplingOptions,
  sampleRollouts,
  startRollouts,
} from './sample-rollouts.ts';

export type SamplerParts = Pick<
  OnlineParts,
  'model' | 'role' | 'servers' | 'version' | 'constraints' | 'signal' | 'notice'
>;

export class PolicySampler {
  readonly #parts: SamplerParts;
  #hiddenNoticed = false;
  /** Answers that servers are sampling, and whose prompts they answer. */
  #ahead: { prompts: readonly PlacedPrompt[]; wait(): Promise<SampledRollouts> } | null = null;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
  }

  /**
   * Has servers sample answers of the policy, which {@link sample} waits for if it is called with
   * the same prompts.
   * @param how version of the policy, and the role that has its weights
   */
  async startAhead(
    prompts: readonly PlacedPrompt[],
    sampling: SamplingOptions,
    seed: number,
    how: { version: number; weights: Role },
  ): Promise<void> {
    const wait = await this.#start(this.#parts.role, prompts, sampling, seed, how);
    this.#ahead = { prompts, wait };
  }

  /** Answers of the policy. */
  async sample(
    prompts: readonly PlacedPrompt[],
    sampling: SamplingOptions,
    seed: number,
  ): Promise<SampledRollouts> {
    const { role } = this.#parts;
    const ahead = this.#ahead?.prompts === prompts ? this.#ahead : null;
    if (ahead !== null) this.#ahead = null;
    const sampled = await phase('rollout', () =>
      ahead === null ? this.#sample(role, prompts, sampling, seed) : ahead.wait(),
    );
    this.#noticeHidden(sampled);
    return sampled;
  }

  /** Answers of any role, such as the reference. */
  sampleAs(
    role: Role,
    prompts: readonly PlacedPrompt[],
    sampling: SamplingOptions,
    seed: number,
  ): Promise<SampledRollouts> {
    return phase('rollout', () => this.#sample(role, prompts, sampling, seed));
  }

  /**
   * Optimizer steps between the policy that sampled and the one that is trained; undefined without
   * servers.
   */
  stalenessOf({ version }: SampledRollouts): number | undefined {
    return version === undefined ? undefined : this.#version - version;
  }

  async #sample(
    role: Role,
    prompts: readonly PlacedPrompt[],
    sampling: SamplingOptions,
    seed: number,
  ): Promise<SampledRollouts> {
    const { model, constraints = null, servers = null } = this.#parts;
    if (servers !== null) {
      // Only the policy changes.
      const version = role === this.#parts.role ? this.#version : 0;
      return (await this.#start(role, prompts, sampling, seed, { version }))();
    }
    return sampleRollouts(model, role, prompts, { ...sampling, constraints }, seed);
  }

  #start(
    role: Role,
    prompts: readonly PlacedPrompt[],
    sampling: SamplingOptions,
    seed: number,
    how: { version: number; weights?: Role },
  ): Promise<() => Promise<SampledRollouts>> {
    const { model, signal } = this.#parts;
    const servers = this.#parts.servers!;
    return startRollouts(model, role, prompts, sampling, seed, { servers, ...how }, signal);
  }

  get #version(): number {
    return this.#parts.version?.() ?? 0;
  }

  /** Training has all tokens of an answer; whoever judges it has its text. */
  #noticeHidden({ samples }: SampledRollouts): void {
    const { model, notice } = this.#parts;
    if (this.#hiddenNoticed || notice === undefined) return;
    const found = samples.map(({ tokens }) => hiddenToken(tokens, model.tokenizer));
    const token = found.find((one) => one !== null);
    if (token === undefined) return;
    this.#hiddenNoticed = true;
    notice(
      `some answers have tokens that their text leaves out, such as ${token}. Rewards see the text, and so does samples.jsonl; the policy is trained on all tokens`,
    );
  }
}
