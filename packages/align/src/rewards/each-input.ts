import { RewardError, type RewardInput, type RewardOutcome } from './reward.ts';

/**
 * Judges inputs one after the other by themselves.
 * @throws RewardError that says for which input, where `judge` throws or its score is no number
 */
export async function eachInput(
  name: string,
  inputs: readonly RewardInput[],
  judge: (input: RewardInput) => RewardOutcome | Promise<RewardOutcome>,
  signal?: AbortSignal,
): Promise<RewardOutcome[]> {
  const outcomes: RewardOutcome[] = [];
  for (const [index, input] of inputs.entries()) {
    signal?.throwIfAborted();
    let outcome: RewardOutcome;
    try {
      outcome = await judge(input);
    } catch (error) {
      if (error instanceof RewardError) throw error;
      throw new RewardError(index, `${name}: ${(error as Error)?.message ?? error}`, {
        cause: error,
      });
    }
    checkOutcome(name, index, outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}

function checkOutcome(name: string, index: number, outcome: RewardOutcome): void {
  const values = Object.entries({ score: outcome.score, ...outcome.aspects });
  for (const [what, value] of values) {
    if (value === null && what === 'score') continue;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new RewardError(index, `${name}: the ${what} is ${value}, and not a finite number`);
    }
  }
}
