import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ownIdentity } from '../files/process-identity.ts';
import { RunFolder } from './run-folder.ts';
import { lockFile } from './run-lock.ts';

let parent: string;
let path: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'keel-lock-'));
  path = join(parent, 'run');
});
afterEach(() => rmSync(parent, { recursive: true }));

const config = { model: 'm' };

async function finishedRun(): Promise<void> {
  using run = await RunFolder.create(path, { config });
  await run.saveFinal((folder) => writeFileSync(join(folder, 'model'), 'weights'));
}

describe('lock', () => {
  test('a second writer is rejected until the first releases the lock', async () => {
    const first = await RunFolder.create(path, { config });
    const second = RunFolder.create(path, { config, resume: true });
    await expect(second).rejects.toThrow(`process ${process.pid} writes to it`);
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
    await expect(resume()).rejects.toThrow(`process ${child.pid} writes to it`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    (await resume()).close();
  });

  test('a process with a reused id does not hold the lock', async () => {
    await finishedRun();
    const stale = { pid: process.pid, host: (await import('node:os')).hostname(), started: '1' };
    writeFileSync(join(path, '.lock'), JSON.stringify(stale));
    (await RunFolder.create(path, { config, resume: true })).close();
  });

  test('a lock of another machine is not taken over', async () => {
    await finishedRun();
    const other = { pid: 1, host: 'elsewhere', started: null };
    writeFileSync(join(path, '.lock'), JSON.stringify(other));
    const resume = RunFolder.create(path, { config, resume: true });
    await expect(resume).rejects.toThrow(/process 1 on elsewhere .* remove .*\.lock/);
  });

  test('a stale lock is named, with the reason', () => {
    const lock = join(parent, 'lock');
    for (const [holder, why] of [
      [{ pid: 999999999, started: '1' }, 'its process 999999999 no longer runs'],
      [{ pid: process.pid, started: '1' }, 'another process has its id now'],
      [{ ...ownIdentity(), boot: 'another' }, 'ended when the machine restarted'],
    ] as const) {
      writeFileSync(lock, JSON.stringify({ host: hostname(), ...holder }));
      const told: string[] = [];
      lockFile(lock, parent, (text) => told.push(text))();
      expect(told).toEqual([expect.stringContaining(`removed a stale lock: `)]);
      expect(told[0]).toContain(why);
      expect(readdirSync(parent)).toEqual([]);
    }
  });

  test('a lock that a power cut emptied is stale, and a damaged one is named', () => {
    const lock = join(parent, 'lock');
    for (const content of ['', '\0\0\0\0']) {
      writeFileSync(lock, content);
      lockFile(lock, parent)();
    }
    for (const content of ['{"pid":1', 'null', '{"pid":"1"}']) {
      writeFileSync(lock, content);
      expect(() => lockFile(lock, parent)).toThrow(`${lock}: this lock is damaged`);
    }
    rmSync(lock);
    mkdirSync(lock);
    expect(() => lockFile(lock, parent)).toThrow(`${lock}: cannot be read: it is a folder`);
  });

  test('leftovers of a process that was killed while it took the lock are removed', () => {
    const lock = join(parent, 'lock');
    writeFileSync(`${lock}-999999999-0123abcd`, '');
    writeFileSync(`${lock}-${process.ppid}-0123abcd`, 'another process is taking the lock');
    lockFile(lock, parent)();
    expect(readdirSync(parent)).toEqual([`lock-${process.ppid}-0123abcd`]);
  });
});
