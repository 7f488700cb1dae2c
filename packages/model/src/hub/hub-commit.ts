/** Whether a text is a commit's id as the hub writes it. It names a folder of the cache. */
export const isCommit = (id: unknown): id is string =>
  typeof id === 'string' && /^[0-9a-f]{7,64}$/.test(id);

/**
 * The commit that a hub named. @param spec for the message @throws Error where it is no commit's id
 */
export function commitName(id: unknown, spec: string): string {
  if (isCommit(id)) return id;
  throw new Error(
    `${spec}: the hub named the commit ${JSON.stringify(id)?.slice(0, 80)}, expected the hexadecimal digits of a commit. Check HF_ENDPOINT`,
  );
}
