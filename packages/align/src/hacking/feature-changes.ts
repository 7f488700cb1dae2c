// How the features of answers changed, prompt by prompt.
import { type PairedEffect, pairedEffect, studentInterval } from '@keel/statistics';
import { type AuditedPrompt, mean, type Side, sides } from './audited-prompt.ts';
import type { AnswerFeature } from './features/answer-features.ts';
import { ReadAnswer } from './features/read-answer.ts';

export interface FeatureChange extends PairedEffect {
  feature: AnswerFeature;
  /** [P] means of each prompt's answers. */
  values: Record<Side, number[]>;
  /** [P] after - before */
  changes: number[];
  /**
   * Whether it changed beyond chance, all features together (5%, Bonferroni), and by a fifth of a
   * standard deviation or more.
   */
  changed: boolean;
}

/** Standard deviations: smaller effects are small by any convention (Cohen 1988). */
const LEAST_SIZE = 0.2;
const LEVEL = 0.05;

/** One for each feature, in their order. */
export function featureChanges(
  prompts: readonly AuditedPrompt[],
  features: readonly AnswerFeature[],
): FeatureChange[] {
  // Where a row does not say how its answer ended, the text decides for all: they are compared.
  const known = prompts.every(({ before, after }) =>
    [...before, ...after].every(({ ended }) => ended !== null),
  );
  const read = Object.fromEntries(
    sides.map((side) => [
      side,
      prompts.map((one) =>
        one[side].map(({ text, ended }) => new ReadAnswer(one.prompt, text, known ? ended : null)),
      ),
    ]),
  ) as Record<Side, ReadAnswer[][]>;
  const measured = features.map((feature) => {
    const before = promptMeans(read.before, feature);
    const after = promptMeans(read.after, feature);
    const changes = after.map((value, at) => value - before[at]!);
    return { feature, values: { before, after }, changes };
  });
  const varying = measured.filter(({ changes }) => changes.some((change) => change !== 0)).length;
  return measured.map((one) => {
    const effect = pairedEffect(one.values.before, one.values.after);
    const ends = studentInterval(one.changes, 1 - LEVEL / Math.max(1, varying));
    const certain = ends !== null && (ends[0] > 0 || ends[1] < 0);
    const large = effect.size === null || Math.abs(effect.size) >= LEAST_SIZE;
    return { ...one, ...effect, changed: certain && large };
  });
}

/** [P] */
function promptMeans(answers: readonly ReadAnswer[][], { measure }: AnswerFeature): number[] {
  const values = measure(answers.flat());
  let next = 0;
  return answers.map(({ length }) => {
    next += length;
    return mean(values.slice(next - length, next));
  });
}
