/**
 * Steps of a call that are profiled; the first step of a call is 1, also where the run was resumed.
 */
export interface ProfileSteps {
  first: number;
  last: number;
}

/**
 * Reads `2-4` or `3`.
 * @returns null where it is neither, or ends before it begins
 */
export function parseProfileSteps(text: string): ProfileSteps | null {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text.trim());
  if (match === null) return null;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first >= 1 && last >= first && Number.isSafeInteger(last) ? { first, last } : null;
}
