// When the page of rounds asks again what became of them.

/** Milliseconds between two looks. */
const INTERVAL = 3000;
/** Milliseconds within which a process that was started makes its run. */
const STARTING = 60_000;

/** Whether something of a round runs, so that its state will change by itself. */
export const isBusy = ({ state }: { state: string }): boolean =>
  state === 'running' || state === 'starting';

/**
 * Milliseconds until the next look; false: nothing changes by itself.
 * @param startedAt when this page started or resumed a round; minus infinity: it did not
 */
export const pollInterval = (
  rounds: readonly { state: string }[],
  startedAt: number,
  now: number,
): number | false => (rounds.some(isBusy) || now - startedAt < STARTING ? INTERVAL : false);
