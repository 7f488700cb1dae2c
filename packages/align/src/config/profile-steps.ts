/** The steps of a call to profile; the first step of a call is 1, also if the run was resumed. */
export interface ProfileSteps {
  first: number;
  last: number;
}

/**
 * Reads `2-4` or `3`.
 * @returns null for anything else, or if the end is before the start
 */
export function parseProfileSteps(text: string): ProfileSteps | null {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text.trim());
  if (match === null) return null;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first >= 1 && last >= first && Number.isSafeInteger(last) ? { first, last } : null;
}
