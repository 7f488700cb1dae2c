import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeEnvironment } from './environment.ts';
import { RunFolder } from './run-folder.ts';

let parent: string;
let path: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'keel-run-'));
  path = join(parent, 'runs', 'first');
});
afterEach(() => rmSync(parent, { recursive: true }));

const config = { model: 'm', beta: 0.1, max_steps: 10 };
const facts = {
  torch: '2.13.0',
  device: 'cpu',
  threads: 2,
  modelHashes: { m: 'aa' },
  dataHashes: {},
};

async function finishedRun(): Promise<void> {
  using run = await RunFolder.create(path, { config });
  await run.saveFinal((folder) => writeFileSync(join(folder, 'model'), 'weights'));
}

describe('beginning', () => {
  test('writes the configuration and makes the folders', async () => {
    using run = await RunFolder.create(path, { config });
    expect(readFileSync(join(path, 'config.yaml'), 'utf8')).toBe(
      'model: m\nbeta: 0.1\nmax_steps: 10\n',
    );
    expect(run.resumed).toBe(false);
    expect(await run.latestCheckpoint()).toBeNull();
  });

  test('a run that failed before its first step can be tried again', async () => {
    (await RunFolder.create(path, { config })).close();
    using run = await RunFolder.create(path, { config: { ...config, beta: 0.2 } });
    expect(run.resumed).toBe(false);
    expect(readFileSync(join(path, 'config.yaml'), 'utf8')).toContain('beta: 0.2');
  });

  test('a run that is there is refused, gone on with, or overwritten', async () => {
    await finishedRun();
    await expect(RunFolder.create(path, { config })).rejects.toThrow(
      /holds a run already; --resume/,
    );
    (await RunFolder.create(path, { config, resume: true })).close();
    expect(existsSync(join(path, 'final', 'model'))).toBe(true);
    writeFileSync(join(path, 'notes.txt'), 'mine');
    (await RunFolder.create(path, { config, overwrite: true })).close();
    expect(readdirSync(path).sort()).toEqual(['config.yaml', 'notes.txt']);
  });

  test('a folder of something else is never touched', async () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'thesis.tex'), '');
    for (const how of [{}, { resume: true }, { overwrite: true }]) {
      await expect(RunFolder.create(path, { config, ...how })).rejects.toThrow(/holds thesis.tex/);
    }
    expect(readdirSync(path)).toEqual(['thesis.tex']);
  });

  test('nothing to resume, and both ways at once', async () => {
    await expect(RunFolder.create(path, { config, resume: true })).rejects.toThrow(
      /no run to resume/,
    );
    const both = RunFolder.create(path, { config, resume: true, overwrite: true });
    await expect(both).rejects.toThrow(/give one of them/);
  });

  test('resuming with another option that matters is refused, with one that does not is not', async () => {
    await finishedRun();
    const other = RunFolder.create(path, { config: { ...config, beta: 0.2 }, resume: true });
    await expect(other).rejects.toThrow(/beta was 0.1, now 0.2/);
    (await RunFolder.create(path, { config: { ...config, max_steps: 20 }, resume: true })).close();
    expect(readFileSync(join(path, 'config.yaml'), 'utf8')).toContain('max_steps: 20');
  });
});

describe('lock', () => {
  test('a second writer is refused until the first lets go', async () => {
    const first = await RunFolder.create(path, { config });
    const second = RunFolder.create(path, { config, resume: true });
    await expect(second).rejects.toThrow(`process ${process.pid} writes into it`);
    first.close();
    (await RunFolder.create(path, { config, resume: true })).close();
    expect(readdirSync(path)).toEqual(['config.yaml']);
  });

  test('the lock of a killed process is taken over', async () => {
    const module = join(import.meta.dirname, 'run-folder.ts');
    const program = `
      import { RunFolder } from ${JSON.stringify(module)};
      await RunFolder.create(${JSON.stringify(path)}, { config: ${JSON.stringify(config)} });
      process.stdout.write('held');
      await new Promise((resolve) => setInterval(resolve, 1e6));`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const resume = () => RunFolder.create(path, { config, resume: true });
    await expect(resume()).rejects.toThrow(`process ${child.pid} writes into it`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    (await resume()).close();
  });

  test('a process id given to another process since does not hold the lock', async () => {
    await finishedRun();
    const stale = { pid: process.pid, host: (await import('node:os')).hostname(), started: '1' };
    writeFileSync(join(path, '.lock'), JSON.stringify(stale));
    (await RunFolder.create(path, { config, resume: true })).close();
  });

  test('another machine cannot be asked whether it still writes', async () => {
    await finishedRun();
    const other = { pid: 1, host: 'elsewhere', started: null };
    writeFileSync(join(path, '.lock'), JSON.stringify(other));
    const resume = RunFolder.create(path, { config, resume: true });
    await expect(resume).rejects.toThrow(/process 1 on elsewhere .* remove .*\.lock/);
  });
});

describe('checkpoints', () => {
  const fill = (folder: string): void => writeFileSync(join(folder, 'weights'), 'abcdef');

  test('the newest stay, by number and not by name', async () => {
    using run = await RunFolder.create(path, { config });
    for (const step of [8, 9, 10, 11]) await run.saveCheckpoint(step, fill, 2);
    expect(readdirSync(run.checkpointsPath).sort()).toEqual(['step-10', 'step-11']);
    expect(await run.latestCheckpoint()).toEqual({
      step: 11,
      path: join(run.checkpointsPath, 'step-11'),
    });
  });

  test('one with a file cut short or missing is passed over', async () => {
    using run = await RunFolder.create(path, { config });
    for (const step of [1, 2, 3, 4]) await run.saveCheckpoint(step, fill);
    truncateSync(join(run.checkpointsPath, 'step-4', 'weights'), 3);
    rmSync(join(run.checkpointsPath, 'step-3', 'weights'));
    expect((await run.latestCheckpoint())?.step).toBe(2);
    rmSync(join(run.checkpointsPath, 'step-2', 'checkpoint.json'));
    expect((await run.latestCheckpoint())?.step).toBe(1);
  });

  test('what a killed writer left is cleared on resume', async () => {
    await finishedRun();
    mkdirSync(join(path, 'checkpoints', '.step-5.partial-999999999-ab'), { recursive: true });
    using run = await RunFolder.create(path, { config, resume: true });
    expect(readdirSync(run.checkpointsPath)).toEqual([]);
  });
});

test('environment.json tells the surroundings, and of each resume', async () => {
  const environment = describeEnvironment(facts);
  expect(environment).toMatchObject({ node: process.version, torch: '2.13.0', keel: '0.1.0' });
  const first = await RunFolder.create(path, { config });
  first.writeEnvironment(environment);
  first.close();
  for (const threads of [3, 4]) {
    using run = await RunFolder.create(path, { config, resume: true });
    run.writeEnvironment({ ...environment, threads });
  }
  const written = JSON.parse(readFileSync(join(path, 'environment.json'), 'utf8'));
  expect(written.threads).toBe(2);
  expect(written.resumed.map((one: { threads: number }) => one.threads)).toEqual([3, 4]);
});
