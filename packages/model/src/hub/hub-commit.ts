/** Whether a text is a commit id as the hub writes it. The id names a folder of the cache. */
export const isCommit = (id: unknown): id is string =>
  typeof id === 'string' && /^[0-9a-f]{7,64}$/.test(id);

/**
 * The commit that the hub reported. @param spec for the message @throws Error if it is not a commit
 * id
 */
export function commitName(id: unknown, spec: string): string {
  if (isCommit(id)) return id;
  throw new Error(
    `${spec}: the hub returned the commit id ${JSON.stringify(id)?.slice(0, 80)}, expected hexadecimal digits. Check HF_ENDPOINT`,
  );
}
