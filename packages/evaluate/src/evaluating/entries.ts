// What is evaluated: models, adapters of one model, or a run before and after.
import { ConfigError } from '@keel/align/config';
import { runSides } from '../judging/answers/answering-side.ts';

/** A model, or an adapter of it. */
export interface EvaluationEntry {
  name: string;
  model: string;
  /** null: the model alone. */
  adapter: string | null;
  /**
   * What its implicit rewards are measured against: an adapter, or null for nothing (default: of an
   * adapter, the model alone).
   */
  reference?: string | null;
}

/** Whether it has implicit rewards. */
export const hasReference = ({ adapter, reference }: EvaluationEntry): boolean =>
  reference === undefined ? adapter !== null : reference !== null;

/** The word for the model without an adapter. */
export const BASE = 'base';

/**
 * The entries that models and adapters name; the first one is the baseline of the others.
 * @throws ConfigError for duplicates, and for adapters of several models
 */
export function entriesOf(
  models: readonly string[],
  adapters: readonly string[],
): EvaluationEntry[] {
  if (models.length > 1 && adapters.length > 0) {
    throw new ConfigError([
      '--adapter: adapters belong to one model, but --model names several. Pass one --model',
    ]);
  }
  const [only] = models;
  const entries =
    adapters.length === 0
      ? models.map((model) => ({ name: nameOf(model), model, adapter: null }))
      : adapters.map((adapter) =>
          adapter === BASE
            ? { name: BASE, model: only!, adapter: null }
            : { name: nameOf(adapter), model: only!, adapter },
        );
  const twice = entries.find(
    ({ name }, at) => entries.findIndex((other) => other.name === name) !== at,
  );
  if (twice === undefined) return entries;
  throw new ConfigError([
    `--${adapters.length > 0 ? 'adapter' : 'model'}: ${twice.name} is listed twice`,
  ]);
}

/**
 * A training run before and after. Its implicit rewards are measured against where it started.
 * @throws Error as {@link runSides}
 */
export function runEntries(run: string): EvaluationEntry[] {
  const [before, after] = runSides(run).sides;
  const continued = before.adapter !== null && after.adapter !== null;
  return [
    { ...before, reference: null },
    { ...after, ...(continued && { reference: before.adapter }) },
  ];
}

/** A run's result is named as the run. */
const nameOf = (path: string): string => path.replace(/[\\/]final[\\/]?$/, '');
