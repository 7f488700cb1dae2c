// Checks what rewards return, whoever wrote them: a module, a program or Keel itself.
import { inspect } from 'node:util';
import { fileError } from '@keel/model/without-torch';
import { nearest } from '../config/nearest.ts';
import { type Reward, RewardError, type RewardInput, type RewardOutcome } from './reward.ts';

const fields = ['score', 'aspects', 'note'];

/**
 * Scores answers and checks the result: one outcome per answer, each valid for `outcomeOf`.
 * @throws RewardError naming the answer, Error if there is not one outcome per answer, and whatever
 *   `score` throws
 */
export async function scoreChecked(
  reward: Pick<Reward, 'name' | 'score'>,
  inputs: readonly RewardInput[],
  signal?: AbortSignal,
): Promise<RewardOutcome[]> {
  let outcomes: unknown;
  try {
    outcomes = await reward.score(inputs, signal);
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw error;
    const known = error instanceof RewardError && inputs[error.index] !== undefined;
    if (known || (error instanceof Error && !(error instanceof RewardError))) throw error;
    throw new Error(`${reward.name}: ${thrownText(error)}`, { cause: error });
  }
  if (!Array.isArray(outcomes) || outcomes.length !== inputs.length) {
    const found = Array.isArray(outcomes) ? `${outcomes.length} outcomes` : shownValue(outcomes);
    throw new Error(
      `${reward.name}: \`score\` returned ${found} for ${inputs.length} answers; return one outcome per answer, in order`,
    );
  }
  // `Array.from` visits the holes of a sparse array too.
  return Array.from(outcomes, (outcome, index) => checkedOutcome(reward.name, index, outcome));
}

/** @throws RewardError naming the reward and the answer */
export function checkedOutcome(name: string, index: number, value: unknown): RewardOutcome {
  try {
    return outcomeOf(value);
  } catch (error) {
    throw new RewardError(index, `${name}: ${(error as Error).message}`);
  }
}

/**
 * Converts what a reward returned to an outcome: a number, null, or `{ score, aspects, note }`.
 * @throws Error that says which part is wrong and what to return
 */
export function outcomeOf(value: unknown): RewardOutcome {
  if (value === null || typeof value === 'number') return { score: scoreOf(value) };
  if (typeof value !== 'object' || Array.isArray(value) || !('score' in value)) {
    throw new Error(
      `the reward returned ${shownValue(value)}; return a number, null, or { score, aspects, note }`,
    );
  }
  for (const key of Object.keys(value)) {
    if (fields.includes(key)) continue;
    const near = nearest(key, fields);
    const hint = near ? `did you mean "${near}"?` : `the fields are ${fields.join(', ')}`;
    throw new Error(`unknown field "${key}" in the outcome; ${hint}`);
  }
  const { score, aspects, note } = value as { score: unknown; aspects?: unknown; note?: unknown };
  if (note !== undefined && typeof note !== 'string') {
    throw new Error(`\`note\` is ${shownValue(note)}; return text, or omit it`);
  }
  return {
    score: scoreOf(score),
    ...(aspects !== undefined && { aspects: aspectsOf(aspects) }),
    ...(note !== undefined && { note }),
  };
}

function scoreOf(score: unknown): number | null {
  if (score === null || isNumber(score)) return score;
  throw new Error(
    `the score is ${shownValue(score)}; return a finite number, or null to give no score for this answer`,
  );
}

function aspectsOf(aspects: unknown): Record<string, number> {
  if (Object.prototype.toString.call(aspects) !== '[object Object]') {
    throw new Error(
      `\`aspects\` is ${shownValue(aspects)}; return an object of numbers, or omit it`,
    );
  }
  for (const [name, value] of Object.entries(aspects as object)) {
    if (isNumber(value)) continue;
    throw new Error(
      `\`aspects.${name}\` is ${shownValue(value)}; return a finite number, or omit it`,
    );
  }
  return { ...(aspects as Record<string, number>) };
}

const isNumber = (value: unknown): value is number => Number.isFinite(value);

/** Describes what was thrown, which can be any value. */
export function thrownText(error: unknown): string {
  const known = fileError(error);
  if (known instanceof Error) return known.message || known.name;
  return typeof error === 'string' && error !== '' ? error : `${shownValue(error)} was thrown`;
}

/** A value in one short line. */
export const shownValue = (value: unknown): string =>
  inspect(value, {
    ...{ depth: 0, breakLength: Number.POSITIVE_INFINITY, compact: true },
    ...{ maxStringLength: 40, maxArrayLength: 4 },
  });
