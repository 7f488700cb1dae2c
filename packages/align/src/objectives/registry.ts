import { chosenNll } from './chosen-nll.ts';
import { ipo, ipoAveraged } from './ipo.ts';
import type { PairedObjective } from './paired.ts';
import { sigmoid } from './sigmoid.ts';

/** The objectives that --loss takes. */
const objectives: readonly PairedObjective[] = [sigmoid, ipo, ipoAveraged, chosenNll];

const byName = new Map(objectives.map((one) => [one.name, one] as const));

export const pairedObjectiveNames: readonly string[] = [...byName.keys()];

/** @throws Error naming the known ones */
export function pairedObjective(name: string): PairedObjective {
  const found = byName.get(name);
  if (found === undefined) {
    throw new Error(`no objective "${name}"; known are ${pairedObjectiveNames.join(', ')}`);
  }
  return found;
}

/** The weighted sum of objectives as one. */
export function weightedObjective(
  parts: readonly { objective: PairedObjective; weight: number }[],
): PairedObjective {
  const [first] = parts;
  if (first === undefined) throw new Error('a weighted objective needs at least one part');
  if (parts.length === 1 && first.weight === 1) return first.objective;
  return {
    name: parts.map(({ objective, weight }) => `${weight} ${objective.name}`).join(' + '),
    needsReference: parts.some(({ objective }) => objective.needsReference),
    loss: (scores, options) =>
      parts
        .map(({ objective, weight }) => objective.loss(scores, options).mul(weight))
        .reduce((sum, term) => sum.add(term)),
  };
}
