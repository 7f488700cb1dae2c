import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeMachine } from './fake-machine.ts';

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(() => machine.delete());

// Stands in for src/main.ts: prints its arguments, then does what the first one asks for.
const program = `
const [what, value]: string[] = process.argv.slice(2);
const announce = () =>
  console.log(JSON.stringify({ pid: process.pid, args: process.argv.slice(2) }));
const asked: Record<string, () => void> = {
  exit: () => process.exit(Number(value)),
  die: () => process.kill(process.pid, value),
  wait: () => {
    let interruptions = 0;
    process.on('SIGINT', () => console.log('interruption ' + ++interruptions));
    process.on('SIGTERM', () => process.exit(143));
    setInterval(() => {}, 1000);
    // Only now does a signal reach its handler.
    announce();
  },
};
if (what !== 'wait') announce();
asked[what!]!();
`;

/** Makes this Node report another version. An older one makes the launcher hand over. */
const reporting = (version: string): string =>
  `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`;

interface Launched {
  child: ChildProcess;
  /** Resolves with the output once it contains a matching line. */
  line(pattern: RegExp): Promise<string>;
  ending: Promise<[number | null, NodeJS.Signals | null]>;
}

function launch(args: string[], { version = '20.18.0', detached = true } = {}): Launched {
  const launcher = join(machine.clone, 'packages/cli/bin/keel.mjs');
  const node = ['--import', reporting(version)];
  const child = spawn(process.execPath, [...node, launcher, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A separate session has no terminal, so signals only come from here.
    detached,
  });
  let output = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const watch of watchers) watch();
    });
  }
  const line = (pattern: RegExp) =>
    new Promise<string>((done) => {
      const watch = () => {
        const found = output.split('\n').find((each) => pattern.test(each));
        if (found !== undefined) done(found);
      };
      watchers.add(watch);
      watch();
    });
  const ending = new Promise<[number | null, NodeJS.Signals | null]>((done) => {
    child.once('close', (...how) => done(how));
  });
  return { child, line, ending };
}

describe('the keel command', () => {
  beforeEach(() => {
    machine.write('clone/packages/cli/src/main.ts', program);
    const folder = join(machine.clone, 'node_modules/node/bin');
    mkdirSync(folder, { recursive: true });
    symlinkSync(process.execPath, join(folder, 'node'));
  });

  it('passes its arguments to the pinned Node and exits with its exit code', async () => {
    const { child, line, ending } = launch(['exit', '7', '--flag', 'two words']);
    const { pid, args } = JSON.parse(await line(/"args"/));
    expect(args).toEqual(['exit', '7', '--flag', 'two words']);
    expect(pid).not.toBe(child.pid);
    expect(await ending).toEqual([7, null]);
  });

  it('runs in the same process if Node is new enough', async () => {
    const { child, line, ending } = launch(['exit', '3'], { version: '24.0.0' });
    expect(JSON.parse(await line(/"args"/)).pid).toBe(child.pid);
    expect(await ending).toEqual([3, null]);
  });

  it('exits with 128 plus the signal that ended the program', async () => {
    expect(await launch(['die', 'SIGKILL']).ending).toEqual([137, null]);
    expect(await launch(['die', 'SIGTERM']).ending).toEqual([143, null]);
  });

  it('passes signals on once and waits for the program to end', async () => {
    const { child, line, ending } = launch(['wait']);
    await line(/"args"/);
    child.kill('SIGINT');
    expect(await line(/interruption/)).toBe('interruption 1');
    child.kill('SIGINT');
    expect(await line(/interruption 2/)).toBe('interruption 2');
    child.kill('SIGTERM');
    expect(await ending).toEqual([143, null]);
  });

  it('also ends the program when it is killed', async () => {
    const { child, line, ending } = launch(['wait']);
    await line(/"args"/);
    child.kill('SIGKILL');
    // The program keeps the output open: it closes, and this test ends, only once the program has
    // ended too.
    expect(await ending).toEqual([null, 'SIGKILL']);
  });
});

describe('the keel command of an installed package', () => {
  beforeEach(() => {
    machine.write('clone/packages/cli/package.json', '{"type": "module"}');
    machine.write('clone/packages/cli/dist/main.js', stripTypeScriptTypes(program));
  });

  it('runs in the same process on its oldest Node', async () => {
    const { child, line, ending } = launch(['exit', '3'], { version: '22.18.0' });
    expect(JSON.parse(await line(/"args"/)).pid).toBe(child.pid);
    expect(await ending).toEqual([3, null]);
  });

  it('names the Node that it needs', async () => {
    const { line, ending } = launch(['exit', '3'], { version: '22.17.1' });
    expect(await line(/Node/)).toContain('22.18');
    expect(await ending).toEqual([1, null]);
  });
});

it('points to setup if nothing is installed', async () => {
  const { line, ending } = launch(['doctor']);
  expect(await line(/not set up/)).toContain('npm run setup');
  expect(await ending).toEqual([1, null]);
});
