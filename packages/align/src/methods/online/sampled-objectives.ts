// Objectives on pairs of answers that the policy has just sampled.
import { pairedOtherNames } from '../../objectives/other-names.ts';
import type { ExtraScores, PairedObjective } from '../../objectives/paired.ts';
import { pairedObjectives } from '../../objectives/registry.ts';

type Given = readonly (keyof ExtraScores)[];

const known: readonly PairedObjective[] = pairedObjectives;

/** Names in messages of what an objective may need to know about a pair. */
const inWords: Readonly<Record<keyof ExtraScores, string>> = {
  scoreGap: 'the score gap of each pair',
  shared: 'separate scores for the first tokens of both answers',
  alignment: "each token's full distribution",
  rowBeta: 'a beta for each row',
  labelProbability: 'the probability of each label',
  running: 'running means of earlier steps',
};

/** Why an objective cannot learn from sampled pairs; null if it can. */
function unfitReason(
  { needsReference, coupled = false, needs = [] }: PairedObjective,
  given: Given,
): string | null {
  if (!needsReference) return 'it has no reference';
  if (coupled) return 'it compares the pairs of a step with each other';
  const missing = needs.filter((need) => !given.includes(need));
  if (missing.length === 0) return null;
  return `it needs ${missing.map((need) => inWords[need]).join(' and ')}`;
}

/**
 * The objectives that can learn from sampled pairs: they have a reference, treat each pair
 * separately, and need nothing beyond log-probabilities except what is given.
 * @param given the fields of {@link ExtraScores} that sampled pairs have
 */
export const sampledObjectives = (given: Given): PairedObjective[] =>
  known.filter((objective) => unfitReason(objective, given) === null);

/**
 * What to write instead of a name that is not among {@link sampledObjectives}, with the reason if
 * it is an objective that cannot learn from sampled pairs.
 */
export function otherSampledNames(given: Given): Record<string, string> {
  const taken = sampledObjectives(given).map(({ name }) => name);
  const unfit = known.flatMap((objective) => {
    const { name } = objective;
    const reason = unfitReason(objective, given);
    return reason === null ? [] : [[name, `keel dpo --loss ${name} on pairs of a file: ${reason}`]];
  });
  const others = Object.entries(pairedOtherNames).map(([name, written]) => {
    const fits = taken.some((one) => written === one || written.startsWith(`${one}, `));
    return [name, fits || written.startsWith('keel ') ? written : `keel dpo --loss ${written}`];
  });
  return Object.fromEntries([...others, ...unfit]);
}
