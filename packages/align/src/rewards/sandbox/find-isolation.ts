import { bubblewrap } from './bubblewrap.ts';
import { withoutRoot } from './drop-root.ts';
import type { Interpreter } from './interpreter.ts';
import type { Isolation } from './isolation.ts';
import { namespaces } from './namespaces.ts';
import { probe } from './probe.ts';

/** The system offers nothing that shuts a program in. */
export class NoIsolationError extends Error {
  override readonly name = 'NoIsolationError';
}

/** No isolation at all: the program does whatever its user may do. */
export const unsafe: Isolation = {
  name: 'none',
  scratch: null,
  wrap: ({ command }) => command,
};

/** The ways of isolation that there are, in the order in which they are tried. */
export function isolations(): Isolation[] {
  const ways = [bubblewrap, namespaces];
  return process.getuid?.() === 0 ? ways.map(withoutRoot) : ways;
}

const found = new Map<string, Promise<Isolation>>();

/**
 * The first way of isolation that withstands being tried. It is tried once a process and Python.
 * @throws NoIsolationError that says of each way why it was not taken
 */
export function findIsolation(interpreter: Interpreter): Promise<Isolation> {
  const known = found.get(interpreter.executable);
  if (known) return known;
  const search = firstThatHolds(interpreter);
  found.set(interpreter.executable, search);
  return search;
}

/** As {@link findIsolation}, of given ways, and tried again at each call. */
export async function firstThatHolds(
  interpreter: Interpreter,
  ways: readonly Isolation[] = isolations(),
): Promise<Isolation> {
  const faults: string[] = [];
  for (const isolation of ways) {
    const reasons = await probe(isolation, interpreter);
    if (reasons.length === 0) return isolation;
    faults.push(`  ${isolation.name}: ${reasons.join('; ')}`);
  }
  throw new NoIsolationError(
    `code cannot be run: this system shuts no program in\n${faults.join('\n')}\n` +
      'Install bubblewrap and allow user namespaces, or run the code with all rights of this user: ' +
      '--unsafe-code, or "isolation: none" in the spec of the reward',
  );
}
