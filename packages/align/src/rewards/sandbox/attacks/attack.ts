/** What attacks aim at outside the sandbox. */
export interface AttackTargets {
  /** A file that the attacker's user may read. */
  file: string;
  /** The home folder, and the names of its entries. */
  home: string;
  homeNames: readonly string[];
  /** A server on 127.0.0.1. */
  port: number;
  /** A socket file of a server. */
  socket: string;
  /** The process that runs the sandbox. */
  pid: number;
}

export interface Attack {
  name: string;
  program: string;
  /**
   * Tests that replace {@link attackTests}. An honest program passes them, this one must not.
   */
  tests?: readonly string[];
  /** Whether it may change what tests pass to it. */
  inPlace?: boolean;
}

/**
 * The tests of most attacks. A program can pass them only by its attack: its `double` is wrong.
 */
export const attackTests: readonly string[] = [
  'assert double(21) == 42',
  'import unittest\nclass T(unittest.TestCase):\n    def test_double(self):\n        self.assertEqual(double(4), 8)',
  'values = sorted([double(2), double(1)])\nassert abs(values[0] - 2) < 0.1 and len(values) == 2',
];

/** A program that answers correctly only if `attempt` succeeds, so that the tests show it. */
export const ifIt = (attempt: string, imports = 'os'): string => `import ${imports}
def attempt():
${indent(attempt)}
try:
    worked = attempt()
except BaseException:
    worked = False
def double(x):
    return 2 * x if worked else None
`;

/**
 * A program with ctypes that makes system calls by number, as `call('name', ...)`. The numbers are
 * [x86-64, ARM].
 */
export const systemCalls = (numbers: Record<string, readonly [number, number]>): string =>
  `import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
numbers = ${JSON.stringify(numbers)}
def call(name, *arguments):
    number = numbers[name][0 if os.uname().machine == 'x86_64' else 1]
    return libc.syscall(number, *[ctypes.c_void_p(one) if isinstance(one, int) else one for one in arguments])
`;

const indent = (code: string): string => code.replace(/^(?=.)/gm, '    ');
