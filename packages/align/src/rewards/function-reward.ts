import { checkedOutcome, shownValue } from './checked-outcomes.ts';
import { countingLater } from './counting-later.ts';
import { type CallLimits, callOnce, eachInput, usualCallLimits } from './each-input.ts';
import { FunctionThread } from './function-thread.ts';
import { exportedFunction, importModule } from './import-module.ts';
import { placedText } from './module-fault.ts';
import type { Reward } from './reward.ts';
import {
  type BatchedRewardFunction,
  type CountTokens,
  type FunctionCall,
  type FunctionInput,
  functionInput,
  type RewardFunction,
} from './user-function.ts';

/** How a reward function is called. */
export interface FunctionOptions extends CallLimits {
  /** Counts the tokens of answers that were not sampled (default: they have no count). */
  countTokens?: CountTokens | undefined;
}

/** A reward from a function of one answer; asynchronous calls run concurrently. */
export function functionReward(
  name: string,
  judge: RewardFunction,
  { countTokens, ...limits }: FunctionOptions = usualCallLimits,
): Reward {
  return {
    name,
    concurrent: true,
    score: (inputs, signal) =>
      eachInput(
        name,
        inputs,
        (input, own) => judge(functionInput(input, countTokens), { signal: own }),
        { ...limits, signal, detached: true },
      ),
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * A reward from a function of many answers: all answers of a rollout batch, or a part of the scored
 * data.
 */
export function batchedReward(
  name: string,
  judge: BatchedRewardFunction,
  { countTokens, timeout }: Partial<FunctionOptions> = {},
): Reward {
  return {
    name,
    concurrent: true,
    async score(inputs, signal) {
      if (inputs.length === 0) return [];
      let found: unknown;
      try {
        found = await callOnce(
          (own) => {
            const answers = inputs.map((input) => functionInput(input, countTokens));
            return judge(answers, { signal: own });
          },
          { timeout: timeout ?? null, signal },
        );
      } catch (error) {
        if (signal?.aborted && error === signal.reason) throw error;
        throw new Error(`${name}: ${placedText(error)}`, { cause: error });
      }
      if (!Array.isArray(found) || found.length !== inputs.length) {
        const what = Array.isArray(found) ? `${found.length} values` : shownValue(found);
        throw new Error(
          `${name}: the batched reward returned ${what} for ${inputs.length} answers; return a list with one value per answer, in order`,
        );
      }
      // `Array.from` visits the holes of a sparse array too.
      return Array.from(found, (value, index) => checkedOutcome(name, index, value));
    },
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * Loads a reward function from a TypeScript or JavaScript module: `module.ts` for its default
 * export, `module.ts#name` for a named one. If the module exports `batched = true`, its functions
 * get all answers at once. With a time limit, the function runs in another thread, so that the
 * limit also ends endless loops.
 * @param folder that the path is relative to
 * @param options `tokenizer`: the model that counts tokens of answers that were not sampled, when
 *   a function reads the count (default: they have no count)
 * @throws Error if the module does not exist or does not load, or the export is not a function
 */
export async function loadFunctionReward(
  module: string,
  folder = '.',
  { tokenizer = null, ...limits }: CallLimits & { tokenizer?: string | null } = usualCallLimits,
): Promise<Reward> {
  const { exports, file, name } = await importModule(module, folder, 'reward');
  const judge = exportedFunction(exports, name, `reward ${module}`);
  const batched = exports.batched ?? false;
  if (typeof batched !== 'boolean') {
    throw new Error(
      `reward ${module}: \`batched\` is ${shownValue(batched)}; export true if its functions get all answers at once`,
    );
  }
  const { timeout } = limits;
  if (timeout === null) {
    const options = { ...limits, countTokens: await countingLater(tokenizer) };
    return batched
      ? batchedReward(module, judge as BatchedRewardFunction, options)
      : functionReward(module, judge as RewardFunction, options);
  }
  const thread = new FunctionThread({ file, name, tokenizer }, timeout);
  const elsewhere = (
    input: FunctionInput | FunctionInput[],
    { signal }: FunctionCall,
  ): Promise<never> => thread.call(input, signal) as Promise<never>;
  // The thread measures the time, because a waiting call has not started.
  const untimed = { ...limits, timeout: null };
  const reward = batched
    ? batchedReward(module, elsewhere, untimed)
    : functionReward(module, elsewhere, untimed);
  return { ...reward, [Symbol.asyncDispose]: async () => thread[Symbol.dispose]() };
}
