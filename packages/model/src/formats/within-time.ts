import { createContext, Script } from 'node:vm';

let runner: { context: { body?: () => unknown }; script: Script } | undefined;

/**
 * Runs regular expressions that a file brought along. One that tries every way to divide a text
 * takes longer than anybody waits, and nothing but the engine itself can stop it.
 * @param body synchronous, and nothing but matching: it is broken off anywhere
 * @param late makes the error of what took too long
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
