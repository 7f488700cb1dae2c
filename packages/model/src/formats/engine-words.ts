/**
 * Replaces the JavaScript engine's own messages about a file that its reader did not expect:
 * "Cannot read properties of undefined" does not help anyone. Readers check what they read; this is
 * only a backstop.
 */

const deep = /call stack|too much recursion/i;

const words =
  /^(?:Cannot (?:read|set|convert|destructure|mix|use 'in'|access|create|define|add|assign)\b|Invalid (?:array|string|typed array|array buffer|DataView|count|date|time)\b|Array buffer allocation|Offset is outside|Start offset|Reduce of empty|Object prototype may|BigInt |Maximum BigInt|The number .* cannot be converted|Invalid code point|Invalid time|toString\(\) radix|Cannot|The encoded data was not valid|The first argument must be|First argument to |The "?[\w.]+"? (?:argument|property) must be|The value of "[\w.]+" is out of range|Attempt to access memory outside|Division by zero|Unexpected token '?.'? in)|is not (?:a function|iterable|a constructor|defined|an object|extensible)|out of bounds|out of memory|object null|undefined \(reading/;

/** Whether an error is the engine's own rather than one written for people. */
export const isEngineError = (error: unknown): error is Error =>
  error instanceof Error &&
  (error.name === 'TypeError' || error.name === 'RangeError' || error.name === 'ReferenceError') &&
  (deep.test(error.message) || words.test(error.message));

/** An error about a file, in plain words. */
export const reasonOf = (error: unknown): string => {
  if (!isEngineError(error)) return error instanceof Error ? error.message : String(error);
  return deep.test(error.message)
    ? 'its contents are nested too deeply'
    : 'its contents are damaged, or in a form that Keel does not support';
};

/**
 * Runs a reader, and replaces the engine's own errors with one that names the file.
 * @param fail makes that error
 */
export function inPlainWords<Result>(
  fail: (reason: string, cause: Error) => Error,
  read: () => Result,
): Result {
  const plain = (error: unknown): unknown =>
    isEngineError(error) ? fail(reasonOf(error), error) : error;
  try {
    const result = read();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw plain(error);
    }) as Result;
  } catch (error) {
    throw plain(error);
  }
}
