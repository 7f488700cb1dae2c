// `keel dpo`, and the library's `alignPairs`: a run on pairs, or on rankings if the objective is
// one of rankings.
import { rankedObjectiveNames } from '../../objectives/ranked-names.ts';
import { rankedObjective } from '../../objectives/ranked-registry.ts';
import { pairedObjectiveNames } from '../../objectives/registry.ts';
import { type RunResult, runTraining } from '../../training/run-training.ts';
import { type DpoOptions, defineDpoOptions } from '../pairs/dpo-options.ts';
import { type PairedRunHooks, runPairs } from '../pairs/run-pairs.ts';
import { onRankings } from '../rankings/run-rankings.ts';
import { fromProgram, type ProgramOptions } from '../registration/from-program.ts';

export type { PairedRunHooks } from '../pairs/run-pairs.ts';

/** Options of a run on pairs: only `data` and `output` have no default. */
export type AlignPairsOptions = ProgramOptions<DpoOptions>;

/**
 * Aligns a model on preference pairs (DPO by default): the library's form of `keel dpo`.
 * @throws ConfigError for invalid options, Error as {@link runDpo} does
 */
export async function alignPairs(
  options: AlignPairsOptions,
  hooks: PairedRunHooks = {},
): Promise<RunResult> {
  const names = [...pairedObjectiveNames, ...rankedObjectiveNames];
  const definition = defineDpoOptions(names, hooks.objective !== undefined);
  const beta = options.beta ?? hooks.objective?.beta ?? null;
  return fromProgram(definition, runDpo, { ...options, beta }, hooks);
}

/**
 * Runs DPO from complete options.
 * @throws DataError, CheckpointError, NonFiniteLossError, Error as {@link runTraining} does
 */
export async function runDpo(options: DpoOptions, hooks: PairedRunHooks = {}): Promise<RunResult> {
  const ranked = hooks.objective ? null : rankedObjective(options.loss[0]!);
  return ranked === null
    ? runPairs(options, hooks)
    : runTraining(onRankings(ranked), options, hooks);
}
