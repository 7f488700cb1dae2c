import type { SandboxLimits } from './limits.ts';
import type { Sandbox } from './sandbox.ts';
import type { Stop } from './shut-in-process.ts';

export interface TestTask {
  /** The code under test. */
  program: string;
  /**
   * Python that checks: assertions, `test_…` functions, test cases of unittest, or
   * `check(candidate)`.
   */
  tests: readonly string[];
  /** Code of the row's own that the tests need; the program does not see it. */
  setup?: string;
  /**
   * The only name that the tests take from the program. Without it: those that they use and nothing
   * else defines.
   */
  entryPoint?: string | null;
  /**
   * Whether calls may change the lists, dicts, sets and bytearrays among their arguments, as copies
   * and in kind.
   */
  inPlace?: boolean;
}

export interface TestVerdict {
  passed: boolean;
  note?: string;
}

export interface TestsRun {
  /** One a test, in their order. */
  verdicts: TestVerdict[];
  /** What stopped the program, if something did. */
  stopped: Stop | null;
  /** What is wrong with the tests themselves; null: nothing. */
  fault: string | null;
}

/**
 * Runs a program against tests. They are in two sandboxes: the tests ask for calls, and get the
 * answers as copies of plain data. The tests' process alone reports what passed, over a pipe that
 * the program's process does not have.
 */
export function runTests(
  sandbox: Sandbox,
  task: TestTask,
  limits: SandboxLimits,
  signal?: AbortSignal,
): Promise<TestsRun> {
  return sandbox.use(limits, signal, async (start) => {
    const candidate = start('candidate');
    // It must outlive the candidate to say what came of it, and its own checks cost time too.
    const tester = start('tester', { ...limits, wall_seconds: 2 * limits.wall_seconds + 5 });
    const verdicts = new Map<number, TestVerdict>();
    let fault: string | null = null;
    const { program, tests, setup = '', entryPoint = null, inPlace = false } = task;
    tester.stdin.write(
      `${JSON.stringify({ tests, setup, entry_point: entryPoint, in_place: inPlace })}\n`,
    );
    candidate.stdin.write(`${JSON.stringify({ program })}\n`);
    candidate.stdout.on('data', (part: Buffer) => tester.stdin.write(part));
    const gone = candidate.ended.then((ending) => {
      tester.stdin.end();
      return ending;
    });
    eachLine(tester.stdout, (line) => {
      if (line.startsWith('>')) {
        candidate.stdin.write(`${line.slice(1)}\n`);
        return;
      }
      const said = parse(line.slice(1));
      // A test that writes to the pipe itself spoils only its own row.
      if (said === null) fault ??= 'the tests write where their verdict goes';
      else if (said.fault !== undefined) fault ??= said.fault;
      else verdicts.set(said.test, { passed: said.passed, note: said.note });
    });
    const told = await tester.ended;
    candidate.stop('done with it');
    const { stopped, complaint } = await gone;
    const stop = stopped === 'done with it' ? null : stopped;
    const missing = told.stopped ? `the tests were stopped: ${told.stopped}` : told.complaint;
    return {
      verdicts: tests.map((_, test) => verdicts.get(test) ?? { passed: false, note: missing }),
      stopped: stop ?? told.stopped,
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
