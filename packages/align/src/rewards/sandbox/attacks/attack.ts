/** Of the machine outside, what an attack is after. */
export interface AttackTargets {
  /** A file that the attacker's user may read. */
  file: string;
  /** The home folder, and the names in it. */
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
}

/** The tests that every attack is run against. It passes them only by what it attacks: `double` is always wrong. */
export const attackTests: readonly string[] = [
  'assert double(21) == 42',
  'import unittest\nclass T(unittest.TestCase):\n    def test_double(self):\n        self.assertEqual(double(4), 8)',
  'values = sorted([double(2), double(1)])\nassert abs(values[0] - 2) < 0.1 and len(values) == 2',
];

/** Answers rightly exactly when `attempt` gets through; the tests then show it. */
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

const indent = (code: string): string => code.replace(/^(?=.)/gm, '    ');
