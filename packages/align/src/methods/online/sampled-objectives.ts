// Objectives on pairs of answers that the policy has just sampled.
import { pairedOtherNames } from '../../objectives/other-names.ts';
import type { ExtraScores, PairedObjective } from '../../objectives/paired.ts';
import { pairedObjectives } from '../../objectives/registry.ts';

type Given = readonly (keyof ExtraScores)[];

const known: readonly PairedObjective[] = pairedObjectives;

/** What of a pair an objective may need, in words. */
const inWords: Readonly<Record<keyof ExtraScores, string>> = {
  scoreGap: 'how far apart the scores of a pair are',
  shared: 'the first tokens of both answers alone',
  alignment: "each token's whole distribution",
  rowBeta: 'betas of rows',
  running: 'means over the steps before',
};

/** Why an objective cannot learn from sampled pairs; null where it can. */
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
 * Those that can learn from such pairs: with a reference, each pair by itself, and of what goes
 * beyond log-probabilities only what is given.
 * @param given what of {@link ExtraScores} sampled pairs have
 */
export const sampledObjectives = (given: Given): PairedObjective[] =>
  known.filter((objective) => unfitReason(objective, given) === null);

/**
 * What to write for a name that is none of {@link sampledObjectives}: an objective that cannot
 * learn from such pairs is told why.
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
