// The library's form of a verb: options as a program writes them, with rows and functions among
// them.
import { programOptions, type WrittenOptions } from '../../config/program-options.ts';
import { copyRows, type GivenRows } from '../../data/program-rows.ts';
import type { ProgramInputs, ProgramReward } from '../../training/program-inputs.ts';
import type { RunHooks, RunResult } from '../../training/run-training.ts';
import { type GivenReward, programReward } from './given-reward.ts';

/** Files, folders, globs or `hub:` specs, or the rows themselves. */
type Data = string | readonly string[] | GivenRows;

interface Rows {
  data: Data;
  evalData?: Data | null | undefined;
}

/** Options of a method: only `data` and `output` have no default. */
export type ProgramOptions<Options> = Omit<
  WrittenOptions<Options>,
  'data' | 'evalData' | 'output'
> &
  Rows & { output: string };

/** {@link ProgramOptions} of a method with a reward. */
export type RewardedOptions<Options> = Omit<ProgramOptions<Options>, 'reward'> & {
  reward: GivenReward;
};

type Definition<Options> = Parameters<typeof programOptions<Options>>[0];

/**
 * Runs a method with the options of a program.
 * @throws ConfigError for invalid options; DataError for rows that JSON cannot express; Error as
 *   `run` does
 */
export async function fromProgram<Options, Hooks extends RunHooks>(
  definition: Definition<Options>,
  run: (options: Options, hooks: Hooks) => Promise<RunResult>,
  given: object,
  hooks: Hooks,
): Promise<RunResult> {
  const written: Record<string, unknown> = { ...given };
  const rows = takeRows(written);
  const reward = takeReward(written);
  const options = programOptions(definition, written);
  const program: ProgramInputs = { ...(reward && { reward }) };
  for (const [name, own] of rows) program[name] = await copyRows(name, own);
  return run(options, { ...hooks, program });
}

/** Replaces rows among the options by a text for config.yaml. */
function takeRows(written: Record<string, unknown>): ['data' | 'evalData', GivenRows][] {
  return (['data', 'evalData'] as const).flatMap((name) => {
    const value = written[name];
    if (!areRows(value)) return [];
    written[name] = [ofProgram('rows')];
    return [[name, value]];
  });
}

function areRows(value: unknown): value is GivenRows {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((one) => typeof one !== 'string');
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

/** What config.yaml says of a value of the program. */
const ofProgram = (name: string): string => `${name} (of the program)`;

/** Replaces a reward that is no text among the options by its name for config.yaml. */
function takeReward(written: Record<string, unknown>): ProgramReward | null {
  const { reward } = written;
  if (reward === undefined || typeof reward === 'string') return null;
  const own = programReward(reward as Exclude<GivenReward, string>);
  written.reward = ofProgram(own.name);
  return own;
}
