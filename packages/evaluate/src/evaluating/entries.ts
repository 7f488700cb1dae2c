// What is evaluated: models, adapters of one model, or a run before and after.
import { ConfigError } from '@keel/align/config';

/** A model, or an adapter of it. */
export interface EvaluationEntry {
  name: string;
  model: string;
  /** null: the model alone. */
  adapter: string | null;
}

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

/** A run's result is named as the run. */
const nameOf = (path: string): string => path.replace(/[\\/]final[\\/]?$/, '');
