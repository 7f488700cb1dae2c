// Warns when the rewards of a run are all the same, since they train nothing.
import type { Numbers } from '../objectives/online/rollout.ts';

/** What the reward gave for one rollout batch. */
export interface WatchedRewards {
  /** [A] after scaling and clipping. */
  rewards: Numbers;
  /** [A]: the prompt of each answer. */
  prompts: readonly number[];
  /** [A]: includes the scores of a composition's rewards by name. */
  aspects: readonly Readonly<Record<string, number>>[];
  /** What the generation prompt opened. */
  opened: string;
}

/** The first number of batches in a row that is reported; then every four times as many. */
const FIRST_REPORT = 4;

/** Whether a streak of this length is reported: at 4, 16, 64, ... */
export function isReported(streak: number): boolean {
  let due = FIRST_REPORT;
  while (due < streak) due *= 4;
  return due === streak;
}

interface Streak {
  batches: number;
  /** null: the value differs between these batches. */
  value: number | null;
}

export interface RewardWatchOptions {
  /** Whether answers are only compared with others to the same prompt. */
  withinPrompts: boolean;
  /** Rewards of a composition that affect its score. */
  components: readonly string[];
  notice(text: string): void;
}

/**
 * Counts rollout batches in a row whose rewards do not differ, and reports long streaks. Not part
 * of a checkpoint.
 */
export class RewardWatch {
  readonly #options: RewardWatchOptions;
  readonly #streaks = new Map<string | null, Streak>();

  constructor(options: RewardWatchOptions) {
    this.#options = options;
  }

  observe({ rewards, prompts, aspects, opened }: WatchedRewards): void {
    if (rewards.length < 2) return;
    const { withinPrompts, components, notice } = this.#options;
    const all = Array.from(rewards);
    const groups = Map.groupBy(all.keys(), (at) => (withinPrompts ? prompts[at]! : 0));
    const flat = [...groups.values()].every((own) => isFlat([...own].map((at) => all[at]!)));
    const whole = this.#count(null, flat, isFlat(all) ? all[0]! : null);
    if (whole !== null) {
      const which = whole.value === null ? `All rewards of a prompt's answers` : 'All rewards';
      notice(
        `${which} were the same${shown(whole)} in the last ${whole.batches} rollout batches: the policy learns nothing from them. ` +
          `Compare the answers in samples.jsonl with what the reward looks for.${hint(opened)}`,
      );
    }
    for (const name of components) {
      const scores = aspects.flatMap((one) => one[name] ?? []);
      if (scores.length < 2) continue;
      const found = this.#count(name, isFlat(scores), scores[0]!);
      // The sum has been reported, and that covers its parts.
      if (found === null || flat) continue;
      notice(
        `The reward "${name}" gave all answers the same score${shown(found)} in the last ${found.batches} rollout batches: ` +
          `it has no effect on what the policy learns. Compare the answers in samples.jsonl with what it looks for.${hint(opened)}`,
      );
    }
  }

  /** @returns the streak if it should be reported */
  #count(name: string | null, flat: boolean, value: number | null): Streak | null {
    if (!flat) {
      this.#streaks.delete(name);
      return null;
    }
    const before = this.#streaks.get(name);
    const same = before === undefined || before.value === value;
    const streak = { batches: (before?.batches ?? 0) + 1, value: same ? value : null };
    this.#streaks.set(name, streak);
    return isReported(streak.batches) ? streak : null;
  }
}

const isFlat = (values: readonly number[]): boolean => values.every((one) => one === values[0]);

const shown = ({ value }: Streak): string => (value === null ? '' : ` (${value})`);

const hint = (opened: string): string =>
  opened === ''
    ? ''
    : ` The generation prompt opens ${JSON.stringify(opened)}, so no answer begins with it; a reward function gets it as \`opened\`.`;
