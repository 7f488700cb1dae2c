import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { plainNumbers } from '@keel/model/exact-json';
import { type CallLimits, eachInput, usualCallLimits } from './each-input.ts';
import { type Reward, type RewardInput, type RewardOutcome, spokenText } from './reward.ts';

/** An answer as a reward function receives it. */
export interface FunctionInput extends RewardInput {
  /**
   * The assistant's text: the completion itself if it is plain, the assistant's turns if it is a
   * chat.
   */
  text: string;
  /**
   * What the generation prompt put before `text`, such as `<think>\n`; empty if it opened nothing.
   */
  opened: string;
}

/** What a reward function receives about its call. */
export interface FunctionCall {
  /**
   * Fires when the result is no longer wanted: the time is up, another call failed, or the run was
   * stopped.
   */
  signal: AbortSignal;
}

/** What a module may export. Higher is better, null is no score; an outcome may name aspects. */
export type RewardFunction = (
  input: FunctionInput,
  call: FunctionCall,
) => number | null | RewardOutcome | Promise<number | null | RewardOutcome>;

/** A reward from a function of one answer; asynchronous calls run concurrently. */
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
 * @param folder that the path is relative to
 * @throws Error if the module does not exist or does not load, or the export is not a function
 */
export async function loadFunctionReward(
  module: string,
  folder = '.',
  limits: CallLimits = usualCallLimits,
): Promise<Reward> {
  const [, path, exported] = /^(.*?)(?:#([^#/\\]*))?$/.exec(module) as unknown as string[];
  const file = resolve(folder, path!);
  if (!existsSync(file)) {
    const from = folder === '.' ? 'the folder in which the command runs' : `the spec in ${folder}`;
    throw new Error(
      `reward ${module}: there is no file ${file}. A path to a module is relative to ${from}`,
    );
  }
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
    const label = name === 'default' ? 'default export' : `"${name}"`;
    const fault = judge === undefined ? `the module has no ${label}` : `${label} is not a function`;
    const others = Object.keys(exports).filter((key) => typeof exports[key] === 'function');
    const known = others.length > 0 ? `; its functions are ${others.join(', ')}` : '';
    throw new Error(`reward ${module}: ${fault}${known}`);
  }
  return functionReward(module, judge as RewardFunction, limits);
}

// A function receives JavaScript numbers.
const withText = (input: RewardInput): FunctionInput => ({
  ...input,
  prompt: plainNumbers(input.prompt),
  completion: plainNumbers(input.completion),
  text: spokenText(input.completion),
  opened: input.opened ?? '',
});
