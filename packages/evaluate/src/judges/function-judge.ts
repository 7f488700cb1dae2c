// A user's function as a judge.
import { createHash } from 'node:crypto';
import {
  dialogue,
  type Judge,
  type JudgedAnswer,
  type JudgedPair,
  type JudgedPrompt,
  noVerdict,
  wholeAnswer,
} from '@keel/align/judges';
import { exportedFunction, importModule, placedText } from '@keel/align/rewards';
import { hashFiles } from '@keel/model';
import { z } from 'zod';
import { answerRatingOf, pairVerdictOf } from './returned-verdict.ts';

export const functionJudgeSchema = z.strictObject({
  type: z.literal('function'),
  /** Its name in results (default: the module's path). */
  name: z.string().min(1).optional(),
  /**
   * `module.ts`, whose exports `compare` and `rate` are used; or `module.ts#name` for one function,
   * which compares if it has three parameters or more.
   */
  module: z.string().min(1),
  /** Whether the order of the answers can change its verdict; it is then asked in both. */
  sees_order: z.boolean().default(true),
  /** Calls at the same time. */
  concurrency: z.int().positive().max(1024).default(8),
  /** Most seconds of a call (default: no limit). */
  timeout: z.number().positive().optional(),
});

export type FunctionJudgeSpec = z.output<typeof functionJudgeSchema>;

/** What else a judging function gets. */
export interface FunctionRow {
  /** The prompt as in the row: a text or messages. */
  prompt: JudgedPrompt['prompt'];
  /** The text of a good answer, if there is one. */
  reference?: string;
  /** The row's other fields. */
  extra: Readonly<Record<string, unknown>>;
  /** Fires when the result is no longer wanted. */
  signal: AbortSignal;
}

/**
 * Says which of two answers is better.
 * @returns the probability that the first one is, or `{ first, tie, why }`; null for no verdict
 */
export type CompareFunction = (prompt: string, a: string, b: string, row: FunctionRow) => unknown;

/** @returns how good an answer is: a number, or `{ score, criteria, why }`; null for none */
export type RateFunction = (prompt: string, answer: string, row: FunctionRow) => unknown;

export interface JudgingFunctions {
  compare?: CompareFunction | undefined;
  rate?: RateFunction | undefined;
}

/**
 * Loads the functions of a module as a judge.
 * @param folder that the path is relative to
 * @throws Error if the module does not load or does not export such functions
 */
export async function openFunctionJudge(spec: FunctionJudgeSpec, folder: string): Promise<Judge> {
  const { module } = spec;
  const { exports, file, name } = await importModule(module, folder, 'judge');
  const functions = module.includes('#')
    ? single(exportedFunction(exports, name, `judge ${module}`))
    : several(exports, module);
  const identity = JSON.stringify(['function 1', name, await hashFiles([file])]);
  return functionJudge(functions, {
    ...{ name: spec.name ?? module, seesOrder: spec.sees_order },
    identity: createHash('sha256').update(identity).digest('hex'),
    ...{ concurrency: spec.concurrency, timeout: spec.timeout },
  });
}

const single = (found: (...args: never) => unknown): JudgingFunctions =>
  found.length >= 3 ? { compare: found as CompareFunction } : { rate: found as RateFunction };

function several(exports: Readonly<Record<string, unknown>>, module: string): JudgingFunctions {
  const functions = ['compare', 'rate'].filter((name) => typeof exports[name] === 'function');
  if (functions.length === 0) {
    const [only] = Object.entries(exports).filter(([, value]) => typeof value === 'function');
    const advice =
      only === undefined
        ? ''
        : `, or pass ${module}#${only[0]} if it takes a prompt and answers, or reward:${module} if it is a reward`;
    throw new Error(
      `judge ${module}: the module exports no function "compare" or "rate". Export one${advice}`,
    );
  }
  return {
    compare: functions.includes('compare') ? (exports.compare as CompareFunction) : undefined,
    rate: functions.includes('rate') ? (exports.rate as RateFunction) : undefined,
  };
}

export interface FunctionJudgeOptions {
  name: string;
  identity: string;
  seesOrder: boolean;
  concurrency: number;
  /** Seconds. */
  timeout?: number | undefined;
}

/** A judge from functions. What they throw, and what is not a verdict, is counted as none. */
export function functionJudge(
  { compare, rate }: JudgingFunctions,
  { timeout, ...options }: FunctionJudgeOptions,
): Judge {
  const call = async <Verdict>(
    read: (found: unknown) => Verdict,
    body: (signal: AbortSignal) => unknown,
    signal?: AbortSignal,
  ) => {
    signal?.throwIfAborted();
    try {
      return read(await inTime(body, timeout, signal));
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      return { ...noVerdict(placedText(error)), transient: true };
    }
  };
  return {
    ...options,
    ...(compare && {
      compare: ({ answers, ...asked }: JudgedPair, signal?: AbortSignal) =>
        call(
          pairVerdictOf,
          (own) => {
            const [a, b] = answers.map((completion) => wholeAnswer({ completion }));
            return compare(dialogue(asked), a!, b!, rowOf(asked, own));
          },
          signal,
        ),
    }),
    ...(rate && {
      rate: ({ answer, ...asked }: JudgedAnswer, signal?: AbortSignal) =>
        call(
          answerRatingOf,
          (own) => rate(dialogue(asked), wholeAnswer({ completion: answer }), rowOf(asked, own)),
          signal,
        ),
    }),
    async [Symbol.asyncDispose]() {},
  };
}

const rowOf = ({ prompt, reference, extra }: JudgedPrompt, signal: AbortSignal): FunctionRow => ({
  ...{ prompt, extra, signal },
  ...(reference !== undefined && { reference: wholeAnswer({ completion: reference }) }),
});

/** @throws Error once the time is up, the signal's reason once it is aborted */
async function inTime(
  body: (signal: AbortSignal) => unknown,
  seconds: number | undefined,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const stop = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (error: unknown): void => {
    reject(error);
    stop.abort(error);
  };
  const aborted = (): void => end(signal!.reason);
  const late = (): void => end(new Error(`no result after ${seconds} s, its "timeout"`));
  signal?.addEventListener('abort', aborted);
  const timer = seconds === undefined ? undefined : setTimeout(late, 1000 * seconds);
  try {
    return await Promise.race([body(stop.signal), promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}
