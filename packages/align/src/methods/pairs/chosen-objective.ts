// The objective that options name. This is where the defaults of a mixture's parts are filled in:
// the options themselves have those that all parts share.
import { completeOptions, type WeightedPart, weightedObjective } from '../../objectives/mixture.ts';
import type { PairedObjective, PairedOptions } from '../../objectives/paired.ts';
import { pairedObjective } from '../../objectives/registry.ts';
import type { DpoOptions } from './dpo-options.ts';

export interface ChosenObjective {
  objective: PairedObjective;
  /** What its loss takes. Metrics have the beta of the first objective. */
  objectiveOptions: PairedOptions;
}

/** The objectives that `--loss` names, each with its weight, its beta and its own options. */
export const lossParts = ({
  loss,
  lossWeights,
  ...options
}: DpoOptions): Required<WeightedPart>[] =>
  loss.map((name, index) => {
    const objective = pairedObjective(name);
    const own = completeOptions(objective, options);
    return { objective, weight: lossWeights[index] ?? 1, options: own };
  });

/** @param program in place of the one that the options name */
export function chosenObjective(options: DpoOptions, program?: PairedObjective): ChosenObjective {
  const parts = lossParts(options);
  const { beta } = parts[0]!.options;
  if (program !== undefined) {
    const own = completeOptions(program, { ...options, beta });
    return { objective: program, objectiveOptions: { ...options, ...own } };
  }
  const single = parts.map(({ objective, weight }) => ({ objective, weight }));
  return {
    objective: weightedObjective(parts.length > 1 ? parts : single),
    objectiveOptions: { ...options, beta },
  };
}
