import type { SandboxLimits } from './limits.ts';
import type { Sandbox } from './sandbox.ts';
import type { Stop } from './shut-in-process.ts';

export interface TestTask {
  /** The code under test. */
  program: string;
  /**
   * Python code that checks: assertions, `test_…` functions, unittest test cases, or
   * `check(candidate)`.
   */
  tests: readonly string[];
  /** Code that the tests need; the program cannot see it. */
  setup?: string;
  /**
   * The only name that the tests use from the program. Without it: the names that they use and that
   * nothing else defines.
   */
  entryPoint?: string | null;
  /**
   * Whether calls may change the lists, dicts, sets and bytearrays among their arguments, by value
   * and to the same type.
   */
  inPlace?: boolean;
}

export interface TestVerdict {
  passed: boolean;
  note?: string;
}

export interface TestsRun {
  /** One per test, in order. */
  verdicts: TestVerdict[];
  /** What stopped the program, if something did. */
  stopped: Stop | null;
  /** What is wrong with the tests themselves, or null. */
  fault: string | null;
}

/**
 * Runs a program against tests, in two sandboxes: the tests request calls, and receive the answers
 * as copies of plain data. Only the tests' process reports what passed, through a pipe that the
 * program's process does not have.
 */
export function runTests(
  sandbox: Sandbox,
  task: TestTask,
  limits: SandboxLimits,
  signal?: AbortSignal,
): Promise<TestsRun> {
  return sandbox.use(limits, signal, async (start) => {
    const candidate = start('candidate');
    // It must outlive the candidate to report the result, and its own checks take time too.
    const tester = start('tester', { ...limits, wall_seconds: 2 * limits.wall_seconds + 5 });
    const verdicts = new Map<number, TestVerdict>();
    let fault: string | null = null;
    const { program, tests, setup = '', entryPoint = null, inPlace = false } = task;
    tester.stdin.write(
      `${JSON.stringify({ tests, setup, entry_point: entryPoint, in_place: inPlace })}\n`,
    );
    candidate.stdin.write(`${JSON.stringify({ program })}\n`);
    candidate.stdout.on('data', (part: Buffer) => tester.stdin.write(part));
    const candidateEnding = candidate.ended.then((ending) => {
      tester.stdin.end();
      return ending;
    });
    eachLine(tester.stdout, (line) => {
      if (line.startsWith('>')) {
        candidate.stdin.write(`${line.slice(1)}\n`);
        return;
      }
      const verdict = parse(line.slice(1));
      // A test that writes to the pipe itself only spoils its own row.
      if (verdict === null) fault ??= 'the tests write to the pipe of their verdict';
      else if (verdict.fault !== undefined) fault ??= verdict.fault;
      else verdicts.set(verdict.test, { passed: verdict.passed, note: verdict.note });
    });
    const ending = await tester.ended;
    candidate.stop('no longer needed');
    const { stopped, complaint } = await candidateEnding;
    const stop = stopped === 'no longer needed' ? null : stopped;
    const missing = ending.stopped ? `the tests were stopped: ${ending.stopped}` : ending.complaint;
    return {
      verdicts: tests.map((_, test) => verdicts.get(test) ?? { passed: false, note: missing }),
      stopped: stop ?? ending.stopped,
      fault,
      complaint,
    };
  });
}

function parse(line: string): (TestVerdict & { test: number; fault?: string }) | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Calls `take` with each whole line. */
function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = Buffer.alloc(0);
  stream.on('data', (part: Buffer) => {
    let from = 0;
    const all = Buffer.concat([rest, part]);
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, from)) {
      take(all.toString('utf8', from, end));
      from = end + 1;
    }
    rest = all.subarray(from);
  });
}
