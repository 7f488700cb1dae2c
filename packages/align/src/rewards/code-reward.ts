import { z } from 'zod';
import { prefillOf } from '../data/message-text.ts';
import { type CodeTask, codeTask, codeTaskShape } from './code-task.ts';
import { extractCode } from './extract-code.ts';
import { type Reward, RewardError, type RewardInput, type RewardOutcome } from './reward.ts';
import { limitsSchema } from './sandbox/limits.ts';
import { type ProgramRun, runProgram } from './sandbox/run-program.ts';
import { runTests } from './sandbox/run-tests.ts';
import { Sandbox } from './sandbox/sandbox.ts';

export const codeSchema = z.strictObject({
  type: z.literal('code'),
  language: z.enum(['python']).default('python'),
  /** The interpreter, by name or path. */
  command: z.string().min(1).default('python3'),
  /** `all`: 1 if all tests pass, else 0; `fraction`: the share of tests that pass. */
  score: z.enum(['all', 'fraction']).default('all'),
  ...codeTaskShape,
  limits: limitsSchema.prefault({}),
  /** Programs at a time (default: the number of cores). */
  concurrency: z.int().positive().max(1024).nullable().default(null),
  /** `none` runs code with all permissions of this user. */
  isolation: z.enum(['auto', 'none']).default('auto'),
});

export type CodeSpec = z.output<typeof codeSchema>;

/**
 * Runs a completion's code against the tests in its row, in a sandbox (sandbox/sandbox.ts).
 *
 * By design, whatever the code does in its sandbox, it cannot forge a verdict, patch a check or a
 * comparison, end the tests early, or read what they expect. The tests run in a separate sandbox:
 * they request calls and receive copies of plain data. Expected outputs never leave Keel. Not
 * prevented are answers written for the inputs of the tests, tests that check too little, and
 * kernel vulnerabilities. With `isolation: none`, none of this is guaranteed. `score` throws a
 * RewardError for a row whose tests check nothing.
 *
 * @throws NoIsolationError if the system cannot isolate programs
 */
export async function codeReward(input: z.input<typeof codeSchema>): Promise<Reward> {
  const spec = codeSchema.parse(input);
  const { command, isolation, concurrency } = spec;
  const sandbox = await Sandbox.open({ command, isolation, concurrency: concurrency ?? undefined });
  return {
    name: `code:${spec.language}`,
    async score(inputs, signal) {
      const tasks = inputs.map((input, index) => codeTask(input, spec, failing(index)));
      const runs = inputs.map((input, index) =>
        judge(sandbox, spec, input, tasks[index]!, failing(index), signal),
      );
      // After a failure, nothing keeps running.
      await Promise.allSettled(runs);
      return Promise.all(runs);
    },
    async [Symbol.asyncDispose]() {},
  };
}

const failing =
  (index: number) =>
  (message: string): never => {
    throw new RewardError(index, `code: ${message}`);
  };

async function judge(
  sandbox: Sandbox,
  spec: CodeSpec,
  input: RewardInput,
  task: CodeTask,
  fail: (message: string) => never,
  signal: AbortSignal | undefined,
): Promise<RewardOutcome> {
  // Code that is the prompt is part of the program anyway.
  const prefill = spec.prompt_is_code ? '' : prefillOf(input.prompt);
  const program = task.prefix + extractCode(input.completion, spec.language, prefill);
  if ('cases' in task) {
    let passed = 0;
    let note: string | undefined;
    for (const [place, { input: text, output }] of task.cases.entries()) {
      const run = await runProgram(sandbox, program, text, spec.limits, signal);
      const right = run.stopped === null && run.code === 0 && sameOutput(run.output, output);
      if (right) passed += 1;
      else note ??= `case ${place}: ${why(run)}`;
      // The other cases would probably use up their time too.
      if (run.stopped !== null) break;
    }
    return outcome(spec, passed, task.cases.length, note);
  }
  const run = await runTests(sandbox, { program, ...task }, spec.limits, signal);
  if (run.fault !== null) fail(run.fault);
  const failed = run.verdicts.findIndex(({ passed }) => !passed);
  const reason = run.stopped ?? run.verdicts[failed]?.note;
  const passed = run.verdicts.filter((verdict) => verdict.passed).length;
  return outcome(
    spec,
    passed,
    run.verdicts.length,
    failed < 0 ? undefined : `test ${failed}: ${reason}`,
  );
}

function outcome(spec: CodeSpec, passed: number, tests: number, note?: string): RewardOutcome {
  const share = passed / tests;
  const score = spec.score === 'fraction' ? share : Number(passed === tests);
  return {
    score,
    aspects: { passed: share, tests },
    ...(note === undefined ? {} : { note: printable(note) }),
  };
}

/** Equal except for spaces at the ends of lines and empty lines at the end. */
function sameOutput(found: string, expected: string): boolean {
  return trimmed(found) === trimmed(expected);
}

// A pattern for spaces before the end of a line takes quadratic time on a megabyte of spaces.
const trimmed = (text: string): string => text.split('\n').map(withoutSpaces).join('\n').trimEnd();

function withoutSpaces(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\r'.includes(line[end - 1]!)) end -= 1;
  return line.slice(0, end);
}

const why = ({ stopped, code, complaint }: ProgramRun): string =>
  stopped ?? (code === 0 ? 'it printed something else' : lastLine(complaint));

const lastLine = (text: string): string => text.split('\n').at(-1) || 'it failed without a message';

/** Replaces control characters, since the program wrote parts of the text. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '\uFFFD');
