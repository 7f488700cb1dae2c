import type { Interpreter } from './interpreter.ts';
import { type Isolation, pythonCommand } from './isolation.ts';
import { namespaces } from './namespaces.ts';
import { probe } from './probe.ts';

/** The system offers no way to isolate programs. */
export class NoIsolationError extends Error {
  override readonly name = 'NoIsolationError';
}

/** No isolation: the program can do whatever its user can do. */
export const unsafe: Isolation = {
  name: 'none',
  scratch: null,
  wrap: ({ interpreter, code }) => pythonCommand(interpreter.executable, code),
};

/** The methods of isolation, in the order in which they are tried. */
export function isolations(): Isolation[] {
  return [namespaces];
}

const found = new Map<string, Promise<Isolation>>();

/**
 * The first method of isolation that withstands the probe. It is probed once per process and
 * Python.
 * @throws NoIsolationError that says why each method was rejected
 */
export function findIsolation(interpreter: Interpreter): Promise<Isolation> {
  const known = found.get(interpreter.executable);
  if (known) return known;
  const search = firstThatHolds(interpreter);
  found.set(interpreter.executable, search);
  return search;
}

/** {@link findIsolation} among given methods, probed again at each call. */
export async function firstThatHolds(
  interpreter: Interpreter,
  methods: readonly Isolation[] = isolations(),
): Promise<Isolation> {
  const faults: string[] = [];
  for (const isolation of methods) {
    const reasons = await probe(isolation, interpreter);
    if (reasons.length === 0) return isolation;
    faults.push(`  ${isolation.name}: ${reasons.join('; ')}`);
  }
  throw new NoIsolationError(
    `Keel cannot run code here: no method of isolation works on this system.\n${faults.join('\n')}\n` +
      'Use Linux and allow user namespaces, or run Keel as root. To run the code with all permissions ' +
      'of this user instead, pass --unsafe-code, or set "isolation: none" in the reward\'s spec.',
  );
}
