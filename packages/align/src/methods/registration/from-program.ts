// The library's form of a verb: options as a program writes them, with rows and functions among
// them.
import { ConfigError } from '../../config/config-error.ts';
import { programOptions, type WrittenOptions } from '../../config/program-options.ts';
import { programPart } from '../../config/program-parts.ts';
import { copyRows, type GivenRows } from '../../data/program-rows.ts';
import { usualCallLimits } from '../../rewards/each-input.ts';
import { functionReward } from '../../rewards/function-reward.ts';
import type { Reward } from '../../rewards/reward.ts';
import type { RewardFunction } from '../../rewards/user-function.ts';
import type { ProgramInputs, ProgramReward } from '../../training/program-inputs.ts';
import type { RunHooks, RunResult } from '../../training/run-training.ts';

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

/** What judges answers: a spec or short form, a function of one answer, or a `Reward`. */
export type GivenReward = string | RewardFunction | Reward;

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
  const program: ProgramInputs = { ...(reward && { reward: rewardOf(reward, options) }) };
  for (const [name, own] of rows) program[name] = await copyRows(name, own);
  return run(options, { ...hooks, program });
}

/** Replaces rows among the options by a text for config.yaml. */
function takeRows(written: Record<string, unknown>): ['data' | 'evalData', GivenRows][] {
  return (['data', 'evalData'] as const).flatMap((name) => {
    const value = written[name];
    if (!areRows(value)) return [];
    written[name] = ['rows of the program'];
    return [[name, value]];
  });
}

function areRows(value: unknown): value is GivenRows {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((one) => typeof one !== 'string');
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

type OwnReward = RewardFunction | Reward;

/** Replaces a function or an object among the options by its name for config.yaml. */
function takeReward(written: Record<string, unknown>): OwnReward | null {
  const { reward } = written;
  if (reward === undefined || typeof reward === 'string') return null;
  if (typeof reward === 'function') {
    written.reward = reward.name || 'reward';
    return reward as RewardFunction;
  }
  const { name, score } = (reward ?? {}) as Partial<Reward>;
  if (typeof name === 'string' && name !== '' && typeof score === 'function') {
    written.reward = name;
    return reward as Reward;
  }
  throw new ConfigError([
    'reward: expected text (a spec or a short form), a function, or an object with "name" and "score"',
  ]);
}

function rewardOf(own: OwnReward, options: unknown): ProgramReward {
  const { rewardConcurrency, rewardTimeout } = options as Readonly<Record<string, unknown>>;
  const limits = {
    concurrency: (rewardConcurrency as number | undefined) ?? usualCallLimits.concurrency,
    timeout: (rewardTimeout as number | null | undefined) ?? null,
  };
  const name = own.name || 'reward';
  const reward = typeof own === 'function' ? functionReward(name, own, limits) : own;
  const source = typeof own === 'function' ? { judge: own } : own;
  return { reward, sha256: programPart(name, source).sha256 };
}
