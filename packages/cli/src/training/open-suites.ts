import type { OpenSuites } from '@keel/align';

/** Opens suites for `--eval-suites`; only a run that has them loads what measures them. */
export const openSuitesLater: OpenSuites = async (suites, trained) => {
  const { openSuites } = await import('@keel/evaluate');
  return openSuites(suites, trained);
};
