// Combines several objectives into one, each with its own options.
import { z } from 'zod';
import type { PairedObjective, PairedOptions } from './paired.ts';

/** Beta of objectives that do not set a default. */
export const DEFAULT_BETA = 0.1;

/** An objective's default beta; null if it has no beta. */
export const defaultBeta = ({ beta = DEFAULT_BETA }: PairedObjective): number | null => beta;

/**
 * Picks an objective's own options from all options, with its defaults. @throws ZodError if one is
 * out of range
 */
export function ownOptions(
  { options = {} }: PairedObjective,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const own = Object.keys(options).map((name) => [name, given[name] ?? undefined]);
  return z.object(options).parse(Object.fromEntries(own));
}

/**
 * The options for an objective's loss, from given options and its defaults.
 * @param given with `beta` null or absent, the objective's default is used
 * @throws ZodError if one is out of range
 */
export function completeOptions(
  objective: PairedObjective,
  given: Readonly<Record<string, unknown>> = {},
): PairedOptions {
  const beta = (given.beta as number | null | undefined) ?? defaultBeta(objective) ?? 1;
  return { ...ownOptions(objective, given), beta };
}

export interface WeightedPart {
  objective: PairedObjective;
  weight: number;
  /** Used instead of the options of the whole. */
  options?: PairedOptions;
}

/** The weighted sum of objectives as one objective. */
export function weightedObjective(parts: readonly WeightedPart[]): PairedObjective {
  const [first] = parts;
  if (first === undefined) throw new Error('a weighted objective needs at least one part');
  if (parts.length === 1 && first.weight === 1 && first.options === undefined)
    return first.objective;
  const running = parts.flatMap(({ objective, options: own }) =>
    Object.entries(objective.running ?? {}).map(([name, observe]): [string, typeof observe] => [
      name,
      (scores, options) => observe(scores, own ?? options),
    ]),
  );
  return {
    name: parts
      .map(
        ({ objective, weight }) =>
          (weight === 1 && parts.length === 1 ? '' : `${weight} `) + objective.name,
      )
      .join(' + '),
    needsReference: parts.some(({ objective }) => objective.needsReference),
    needs: [...new Set(parts.flatMap(({ objective }) => objective.needs ?? []))],
    coupled: parts.some(({ objective }) => objective.coupled),
    softLabels: parts.every(({ objective }) => objective.softLabels),
    running: Object.fromEntries(running),
    momenta: Object.assign({}, ...parts.map(({ objective }) => objective.momenta)),
    refuseGap: (gap, options) => {
      const faults = parts.map((part) =>
        part.objective.refuseGap?.(gap, { ...(part.options ?? options) }),
      );
      return faults.find((fault) => fault != null) ?? null;
    },
    loss: (scores, options) =>
      parts
        .map((part) => part.objective.loss(scores, part.options ?? options).mul(part.weight))
        .reduce((sum, term) => sum.add(term)),
  };
}
