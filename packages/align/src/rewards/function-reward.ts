import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { plainNumbers } from '@keel/model/exact-json';
import { type CallLimits, eachInput, usualCallLimits } from './each-input.ts';
import { type Reward, type RewardInput, type RewardOutcome, spokenText } from './reward.ts';

/** What a reward function sees of an answer. */
export interface FunctionInput extends RewardInput {
  /**
   * What the assistant says in it: the completion itself where it is plain, its turns where it is a
   * chat.
   */
  text: string;
  /**
   * What the generation prompt put before `text`, such as `<think>\n`; empty where it opened
   * nothing.
   */
  opened: string;
}

/** What a reward function is told of its call. */
export interface FunctionCall {
  /**
   * Fires when the result is no longer wanted: the time is up, another call failed, or the run is
   * stopped.
   */
  signal: AbortSignal;
}

/** What a module may export: more is better, null says nothing; an outcome may name aspects. */
export type RewardFunction = (
  input: FunctionInput,
  call: FunctionCall,
) => number | null | RewardOutcome | Promise<number | null | RewardOutcome>;

/** A reward by a function of one answer; asynchronous calls run side by side. */
export function functionReward(
  name: string,
  judge: RewardFunction,
  limits: CallLimits = usualCallLimits,
): Reward {
  return {
    name,
    concurrent: true,
    score: (inputs, signal) =>
      eachInput(name, inputs, (input, own) => judge(withText(input), { signal: own }), {
        ...limits,
        ...{ signal, detached: true },
      }),
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * Loads a reward function from a TypeScript or JavaScript module: `module.ts` for its default
 * export, `module.ts#name` for a named one.
 * @param folder what the path is relative to
 * @throws Error where there is no such module, it does not load, or the export is no function
 */
export async function loadFunctionReward(
  module: string,
  folder = '.',
  limits: CallLimits = usualCallLimits,
): Promise<Reward> {
  const [, path, exported] = /^(.*?)(?:#([^#/\\]*))?$/.exec(module) as unknown as string[];
  const file = resolve(folder, path!);
  if (!existsSync(file)) throw new Error(`reward ${module}: there is no file ${file}`);
  let exports: Record<string, unknown>;
  try {
    exports = await import(pathToFileURL(file).href);
  } catch (error) {
    throw new Error(`reward ${module}: the module does not load: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const name = exported || 'default';
  const judge = exports[name];
  if (typeof judge !== 'function') {
    const found = judge === undefined ? 'has no' : 'is not a function:';
    const others = Object.keys(exports).filter((key) => typeof exports[key] === 'function');
    const known = others.length > 0 ? `; its functions are ${others.join(', ')}` : '';
    throw new Error(
      `reward ${module}: the module ${found} ${name === 'default' ? 'default export' : `"${name}"`}${known}`,
    );
  }
  return functionReward(module, judge as RewardFunction, limits);
}

// A function is given numbers as JavaScript has them.
const withText = (input: RewardInput): FunctionInput => ({
  ...input,
  prompt: plainNumbers(input.prompt),
  completion: plainNumbers(input.completion),
  text: spokenText(input.completion),
  opened: input.opened ?? '',
});
