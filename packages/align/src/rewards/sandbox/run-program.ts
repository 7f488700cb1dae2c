import type { SandboxLimits } from './limits.ts';
import type { Sandbox } from './sandbox.ts';
import type { Ending } from './shut-in-process.ts';

export interface ProgramRun extends Ending {
  /** What it printed to stdout. */
  output: string;
}

/** Runs a program once with its input on stdin. */
export function runProgram(
  sandbox: Sandbox,
  program: string,
  input: string,
  limits: SandboxLimits,
  signal?: AbortSignal,
): Promise<ProgramRun> {
  return sandbox.use(limits, signal, async (start) => {
    const run = start('program');
    const parts: Buffer[] = [];
    run.stdout.on('data', (part: Buffer) => parts.push(part));
    const bytes = Buffer.from(program);
    run.stdin.write(String(bytes.length).padStart(10, '0'));
    run.stdin.write(bytes);
    run.stdin.end(input);
    const ending = await run.ended;
    return { ...ending, output: Buffer.concat(parts).toString() };
  });
}
