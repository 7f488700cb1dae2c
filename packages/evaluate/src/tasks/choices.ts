// What the log-likelihoods of a question's choices say.
import type { MetricValue } from './metrics.ts';

export interface Question {
  choices: readonly string[];
  /** Indices of the right choices. */
  gold: readonly number[];
}

/** The first of the largest, as NumPy's argmax. */
export function largest(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}

/**
 * lm-eval's metrics of a question. `acc_norm` divides by the characters (code points) of a choice,
 * `acc_bytes` by its bytes in UTF-8; neither counts the delimiter.
 * @param unconditional log-likelihoods of the choices without the context
 */
export function choiceMetrics(
  { choices, gold }: Question,
  logps: readonly number[],
  greedy: readonly boolean[],
  unconditional: readonly number[] | null,
): Record<string, MetricValue> {
  const right = (index: number): number => Number(gold.includes(index));
  const by = (length: (choice: string) => number): number =>
    right(largest(logps.map((logp, index) => logp / length(choices[index]!))));
  const shares = softmax(logps);
  const brier = shares.reduce(
    (sum, share, index) => sum + (share - Number(index === gold[0])) ** 2,
    0,
  );
  return {
    acc: right(largest(logps)),
    acc_norm: by((choice) => [...choice].length),
    acc_bytes: by((choice) => Buffer.byteLength(choice)),
    exact_match: Number(gold.some((index) => greedy[index])),
    brier_score: brier,
    ...(unconditional !== null && {
      acc_mutual_info: right(largest(logps.map((logp, index) => logp - unconditional[index]!))),
    }),
  };
}

function softmax(values: readonly number[]): number[] {
  const most = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
