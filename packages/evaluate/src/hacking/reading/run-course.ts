// The course of an online run: what its held-out answers were at every evaluation.
import type { SampleLine } from '@keel/align/internal';

/** Means over the held-out answers of an evaluation; null: no answer has one. */
export interface CoursePoint {
  /** Optimizer steps before it. */
  step: number;
  /** Rises above the first evaluation, in standard deviations of its answers. */
  reward: number | null;
  gold: number | null;
  /** To the reference, in nats per answer. */
  kl: number | null;
  /** In characters. */
  length: number;
}

type Answer = Pick<SampleLine, 'step' | 'completion' | 'reward' | 'gold' | 'kl'>;

/** @param heldOut lines of samples.jsonl, in order; one point for each of their steps */
export function courseOf(heldOut: readonly Answer[]): CoursePoint[] {
  const evaluations = [...Map.groupBy(heldOut, ({ step }) => step)];
  const first = evaluations[0]?.[1] ?? [];
  const rise = (name: 'reward' | 'gold', answers: readonly Answer[]): number | null => {
    const [start, now] = [first, answers].map((own) => known(own.map((one) => one[name])));
    if (start!.length === 0 || now!.length === 0) return null;
    const difference = mean(now!) - mean(start!);
    const deviation = deviationOf(start!);
    // Equal rewards have no unit: a rise from them is shown as it is.
    return deviation === 0 ? difference : difference / deviation;
  };
  return evaluations.map(([step, answers]) => {
    const kl = known(answers.map((one) => one.kl));
    return {
      ...{ step, reward: rise('reward', answers), gold: rise('gold', answers) },
      kl: kl.length === 0 ? null : mean(kl),
      length: mean(answers.map(({ completion }) => completion.length)),
    };
  });
}

const known = (values: readonly (number | null | undefined)[]): number[] =>
  values.filter((value) => value !== null && value !== undefined);

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const deviationOf = (values: readonly number[]): number => {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
};
