/** First wait before a repetition, in milliseconds; each further one is twice as long. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;
/** A server that asks for a longer wait is not waited for. */
const LONGEST_ASKED = 600_000;

/**
 * Milliseconds to wait after a failed attempt; null if the server asks for too long a wait.
 * @param attempt from 1
 * @param asked what the server asks for, or null
 * @param random from 0 to 1: clients that failed together do not come back together
 */
export function retryWait(attempt: number, asked: number | null, random: number): number | null {
  if (asked !== null && asked > LONGEST_ASKED) return null;
  const longest = Math.min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT);
  const own = longest * (0.5 + 0.5 * random);
  return asked === null ? own : asked + own * 0.1;
}
