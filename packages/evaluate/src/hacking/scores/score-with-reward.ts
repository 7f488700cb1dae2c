// Scores answers with a reward, in chunks, with progress.
import {
  type Reward,
  RewardError,
  type RewardInput,
  scoreChecked,
  UnreadableInputError,
} from '@keel/align/rewards';

/** Answers that are scored together. */
const CHUNK = 64;

export interface ScoringHooks {
  signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface ScoredAnswers {
  /** One for each answer; null: the reward gave no score, or cannot read the answer. */
  scores: (number | null)[];
  /** How much the members of an ensemble differ on each answer; null where nothing tells. */
  deviations: (number | null)[];
  /** Answers that the reward cannot read, and what it says of the first. */
  unreadable: number;
  fault: string | null;
}

/** An answer with its place, for messages. */
export type PlacedInput = RewardInput & { place: string };

/**
 * @throws Error naming the answer on which the reward failed, and the signal's reason once it is
 *   aborted
 */
export async function scoreWithReward(
  reward: Pick<Reward, 'name' | 'score'>,
  inputs: readonly PlacedInput[],
  { signal, onProgress }: ScoringHooks = {},
): Promise<ScoredAnswers> {
  const scores = new Array<number | null>(inputs.length).fill(null);
  const deviations = new Array<number | null>(inputs.length).fill(null);
  let unreadable = 0;
  let fault: string | null = null;
  for (let start = 0; start < inputs.length; start += CHUNK) {
    signal?.throwIfAborted();
    let left = Array.from(inputs.slice(start, start + CHUNK), (input, at) => ({
      ...{ input, index: start + at },
    }));
    while (left.length > 0) {
      try {
        const outcomes = await scoreChecked(
          reward,
          left.map(({ input: { place: _, ...input } }) => input),
          signal,
        );
        for (const [at, { index }] of left.entries()) {
          scores[index] = outcomes[at]!.score;
          deviations[index] = outcomes[at]!.aspects?.deviation ?? null;
        }
        break;
      } catch (error) {
        if (!(error instanceof RewardError)) throw error;
        const bad = left[error.index]!;
        const message = `${bad.input.place}: ${error.message}`;
        if (!(error instanceof UnreadableInputError))
          throw new Error(message, { cause: error.cause });
        unreadable += 1;
        fault ??= message;
        // Scoring leaves a reward unchanged, so the others can be scored again.
        left = left.filter((one) => one !== bad);
      }
    }
    onProgress?.(Math.min(start + CHUNK, inputs.length), inputs.length);
  }
  return { scores, deviations, unreadable, fault };
}
