// Default learning rates that depend on the objective.
import type { DefaultRates } from '../config/training-options.ts';
import type { PairedObjective } from './paired.ts';
import { pairedObjectives } from './registry.ts';

const known: readonly PairedObjective[] = pairedObjectives;

/**
 * The default rates of a run with these objectives: of several, the smallest.
 * @param names those of no known objective have the usual rates
 */
export function ratesOf(names: readonly string[], usual: DefaultRates): DefaultRates {
  const own = names.map((name) => known.find((one) => one.name === name)?.loraRate ?? usual.lora);
  return { ...usual, lora: Math.min(...own) };
}

/** The exceptions in words, for help: "3e-5 with LoRA for simpo, alphapo". */
export function shownExceptions(): string[] {
  const byRate = Map.groupBy(
    known.filter(({ loraRate }) => loraRate !== undefined),
    ({ loraRate }) => loraRate!,
  );
  return [...byRate].map(
    ([rate, objectives]) =>
      `${rate.toExponential()} with LoRA for ${objectives.map(({ name }) => name).join(', ')}`,
  );
}
