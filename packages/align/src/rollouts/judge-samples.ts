// Judges a batch of samples with the reward.
import { isChat } from '../data/messages.ts';
import { scoreChecked } from '../rewards/checked-outcomes.ts';
import { type Reward, RewardError, type RewardInput } from '../rewards/reward.ts';
import { whileWaiting } from '../rewards/waiting.ts';
import { inShares, shareCount } from '../sharing/in-shares.ts';
import { rangesOf } from '../sharing/share-out.ts';
import type { Sample, SampledRollouts } from './sample-rollouts.ts';

export interface Judgement {
  /** [S] */
  scores: number[];
  /** [S]: what each score is made of. */
  aspects: Record<string, number>[];
}

export interface JudgeOptions {
  /** Whether the scores update the reward's running statistics, as in a training step. */
  learns: boolean;
  /** Names a row for messages. */
  place(row: number): string;
  signal?: AbortSignal | undefined;
  /** Called every second, with the seconds so far, while the reward takes longer than two. */
  onWait?: ((seconds: number) => void) | undefined;
}

/**
 * How long a stopped run waits for rewards in progress: the samples are worth the wait.
 */
const GRACE_MILLISECONDS = 2000;

/** Fires with another signal's reason, this many milliseconds after it. */
class LateSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #first: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(first: AbortSignal | undefined) {
    this.#first = first;
    if (first?.aborted) this.#begin();
    else first?.addEventListener('abort', this.#begin);
  }

  readonly #begin = (): void => {
    this.#timer = setTimeout(() => this.#controller.abort(this.#first!.reason), GRACE_MILLISECONDS);
  };

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#first?.removeEventListener('abort', this.#begin);
  }
}

/**
 * @throws Error naming the row whose answer cannot be judged, or for which the reward returns no
 *   score; the signal's reason if rewards do not finish soon after it fires
 */
export async function judgeSamples(
  reward: Reward,
  sampled: SampledRollouts,
  options: JudgeOptions,
): Promise<Judgement> {
  const { outcomes, named } = await outcomesOf(reward, sampled, options);
  const scores = outcomes.map(({ score }, index) => {
    if (score !== null) return score;
    throw new Error(
      `${named(index)}: the reward returned no score; training needs a score for every answer. Return a number for such answers too`,
    );
  });
  return { scores, aspects: outcomes.map(({ aspects }) => aspects ?? {}) };
}

/**
 * Scores of a reward that is not trained on.
 * @returns [S]; null: it has no score for the answer
 * @throws Error as {@link judgeSamples}, except for answers without a score
 */
export async function scoreSamples(
  reward: Reward,
  sampled: SampledRollouts,
  options: Omit<JudgeOptions, 'learns'>,
): Promise<(number | null)[]> {
  const { outcomes } = await outcomesOf(reward, sampled, { ...options, learns: false });
  return outcomes.map(({ score }) => score);
}

async function outcomesOf(
  reward: Reward,
  { prompts, samples }: SampledRollouts,
  { learns, place, signal, onWait }: JudgeOptions,
) {
  const inputs = samples.map(({ group, text, tokens }): RewardInput => {
    const { prompt, extra, opened, rendering } = prompts[group]!;
    const completion = isChat(prompt) ? [{ role: 'assistant' as const, content: text }] : text;
    const own = { prompt, completion, extra, tokens: tokens.length, opened };
    return { ...own, ...(rendering && { rendering }) };
  });
  const named = (index: number): string => {
    const { group, text } = samples[index]!;
    const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
    return `${place(prompts[group]!.row)}, answer ${JSON.stringify(shown)}`;
  };
  using late = new LateSignal(signal);
  const learn = learns && reward.learns !== false ? reward.learn?.bind(reward) : undefined;
  const judge = learn ? { name: reward.name, score: learn } : reward;
  const score = async ([first, end]: readonly [number, number]) => {
    try {
      const own = inputs.slice(first, end);
      return await whileWaiting(scoreChecked(judge, own, late.signal), onWait);
    } catch (error) {
      if (!(error instanceof RewardError)) throw error;
      const { index, message, cause } = error;
      throw new Error(`${named(first + index)}: ${message}`, { cause });
    }
  };
  const outcomes = (await inShares(rangesOfSamples(samples, learn !== undefined), score)).flat();
  return { outcomes, named };
}

/**
 * The range of answers that each process has judged. Answers to one prompt may be compared, so they
 * are in the same range; a reward that learns from scores sees all answers.
 */
function rangesOfSamples(samples: readonly Sample[], learns: boolean): [number, number][][] {
  const count = shareCount();
  const starts = samples.flatMap(({ group }, at) => (group === samples[at - 1]?.group ? [] : [at]));
  const ranges = rangesOf(starts.length, learns ? 1 : count).map((share) =>
    share.map(([first, end]): [number, number] => [starts[first]!, starts[end] ?? samples.length]),
  );
  return Array.from({ length: count }, (_, at) => ranges[at] ?? []);
}
