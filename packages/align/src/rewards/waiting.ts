/** Seconds after which waiting is reported. */
const FIRST = 2;

/**
 * Waits, and reports the whole seconds so far, once a second after the first two. The reports do
 * not keep the process alive.
 */
export async function whileWaiting<Result>(
  work: Promise<Result>,
  report?: (seconds: number) => void,
): Promise<Result> {
  if (report === undefined) return await work;
  const start = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.floor((performance.now() - start) / 1000);
    if (seconds >= FIRST) report(seconds);
  }, 1000);
  timer.unref();
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
