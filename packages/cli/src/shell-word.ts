/**
 * A word as it is typed in a shell: in quotes where it holds what the shell would not take as it
 * stands.
 */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
