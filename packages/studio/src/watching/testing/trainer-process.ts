// A process that holds a run's lock and ends at a signal, as a training does.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A process that works on a run. */
export interface Trainer {
  pid: number;
  /** Resolves when it gets the signal that asks it to stop. */
  asked: Promise<void>;
  /** Lets it end after it was asked, as after its checkpoint. @returns its exit code */
  end(): Promise<number>;
}

/** Starts one; it is killed after the test. */
export async function startTrainer(folder: string): Promise<Trainer> {
  const code = `
    import { claimFolder } from '@keel/align/internal';
    const claim = claimFolder(${JSON.stringify(folder)});
    const timer = setInterval(() => {}, 1000);
    process.once('SIGINT', () => {
      process.stdout.write('asked');
      clearInterval(timer);
      process.stdin.once('data', () => { claim[Symbol.dispose](); process.exit(130); });
    });
    process.stdout.write('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await said(child, 'ready');
  return {
    pid: child.pid!,
    asked: said(child, 'asked'),
    async end() {
      child.stdin.write('\n');
      const [exitCode] = (await once(child, 'exit')) as [number];
      return exitCode;
    },
  };
}

async function said(child: ChildProcess, text: string): Promise<void> {
  const [data] = (await once(child.stdout!, 'data')) as [Buffer];
  if (String(data) !== text) throw new Error(`expected ${text}, and it said ${data}`);
}
