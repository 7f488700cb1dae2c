import { createContext, Script } from 'node:vm';

let runner: { context: { body?: () => unknown }; script: Script } | undefined;

/**
 * Runs regular expressions that come from a file. One with excessive backtracking can take
 * practically forever, and only the engine itself can stop it.
 * @param body synchronous, and only matches: it may be interrupted anywhere
 * @param late makes the error for a timeout
 */
export function withinTime<Result>(
  milliseconds: number,
  body: () => Result,
  late: () => Error,
): Result {
  runner ??= { context: createContext(), script: new Script('body()') };
  const outer = runner.context.body;
  runner.context.body = body;
  try {
    return runner.script.runInContext(runner.context, { timeout: milliseconds }) as Result;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? late() : error;
  } finally {
    runner.context.body = outer;
  }
}
