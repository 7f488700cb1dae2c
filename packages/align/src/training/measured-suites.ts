// Suites that are measured while a run trains. The package that has them is above this one, so the
// caller passes what opens them.
import type { LanguageModel, Role } from '@keel/model';
import type { Metrics } from './training-task.ts';

/** Measures suites on a model in one of its roles: values by `task/metric`. */
export type MeasureSuites = (
  model: LanguageModel,
  role: Role,
  signal?: AbortSignal,
) => Promise<Metrics>;

/** Reads and checks suites: YAML files, or names of Keel's own. */
export type OpenSuites = (names: readonly string[]) => Promise<MeasureSuites>;

/**
 * Opens a run's suites before anything is loaded.
 * @returns null for a run without suites
 * @throws Error if the caller cannot open suites, and what opening them throws
 */
export async function openSuites(
  { evalSuites }: { evalSuites?: readonly string[] | undefined },
  open: OpenSuites | undefined,
): Promise<MeasureSuites | null> {
  if (evalSuites === undefined) return null;
  if (open === undefined) {
    throw new Error(
      'eval_suites: suites cannot be measured here. In a program, pass `suites: openTrainingSuites` of @keel/evaluate',
    );
  }
  return open(evalSuites);
}
