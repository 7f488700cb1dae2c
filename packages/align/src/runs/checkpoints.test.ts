import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkpointFault, findCheckpoints, saveCheckpoint } from './checkpoints.ts';
import { RunFolder } from './run-folder.ts';

let path: string;
let checkpoints: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'keel-checkpoints-'));
  checkpoints = join(path, 'checkpoints');
});
afterEach(() => rmSync(path, { recursive: true }));

const config = { model: 'm' };
const save = (step: number) =>
  saveCheckpoint(
    checkpoints,
    step,
    (folder) => {
      writeFileSync(join(folder, 'weights'), Buffer.alloc(5000, step));
      mkdirSync(join(folder, 'critic'));
      writeFileSync(join(folder, 'critic', 'state.json'), '{}');
    },
    null,
  );

/** Possible damage to a file on a disk, and its description. */
const damages: Record<string, [file: string, damage: (path: string) => void, said: RegExp]> = {
  'one flipped bit': [
    'weights',
    (file) => {
      const bytes = readFileSync(file);
      bytes[4321]! ^= 1;
      writeFileSync(file, bytes);
    },
    /weights has changed since it was written/,
  ],
  'zeros of the right size': [
    'weights',
    (file) => writeFileSync(file, Buffer.alloc(5000)),
    /weights has changed since it was written/,
  ],
  'a file cut short': [
    'weights',
    (file) => truncateSync(file, 4999),
    /weights has 4999 bytes instead of 5000/,
  ],
  'a missing file': ['critic/state.json', (file) => rmSync(file), /state\.json is missing/],
  'a folder in place of a file': [
    'weights',
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
    /weights is not a regular file/,
  ],
  'no manifest': ['checkpoint.json', (file) => rmSync(file), /checkpoint\.json is missing/],
  'half a manifest': [
    'checkpoint.json',
    (file) => truncateSync(file, 20),
    /checkpoint\.json is damaged/,
  ],
  'a manifest of wrong types': [
    'checkpoint.json',
    (file) => writeFileSync(file, '{"step":2,"files":{"weights":5000}}'),
    /checkpoint\.json is damaged/,
  ],
  'a folder in place of the manifest': [
    'checkpoint.json',
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
    /checkpoint\.json cannot be read: it is a folder/,
  ],
};

describe.each(Object.entries(damages))('%s', (_, [file, damage, said]) => {
  test('in the newest checkpoint: it is named, and the older one is used', async () => {
    (await RunFolder.create(path, { config })).close();
    await save(1);
    const newest = await save(2);
    expect(checkpointFault(newest)).toBeNull();
    damage(join(newest.path, file));
    const told: string[] = [];
    const notice = (text: string): void => void told.push(text);
    using run = await RunFolder.create(path, { config, resume: true, notice });
    expect((await run.latestCheckpoint())?.step).toBe(1);
    expect(told).toEqual([expect.stringMatching(said)]);
    expect(told[0]).toContain(`resumes from the older checkpoint ${join(checkpoints, 'step-1')}`);
  });

  test('in the only one: the run is rejected', async () => {
    (await RunFolder.create(path, { config })).close();
    damage(join((await save(2)).path, file));
    const resume = RunFolder.create(path, { config, resume: true });
    await expect(resume).rejects.toThrow(said);
    await expect(RunFolder.create(path, { config, resume: true })).rejects.toThrow(
      /every checkpoint is damaged, so the run cannot be resumed\. .*--overwrite to start again/,
    );
  });
});

test('without any checkpoint, nothing is damaged', async () => {
  expect(await findCheckpoints(checkpoints)).toEqual({ newest: null, damaged: [] });
  writeFileSync(checkpoints, '');
  await expect(findCheckpoints(checkpoints)).rejects.toThrow(
    `${checkpoints}: cannot be read: a part of the path is a file`,
  );
});

test('a disk that refuses leaves the earlier checkpoints as they were', async () => {
  const first = await save(1);
  const refuse = saveCheckpoint(
    checkpoints,
    2,
    (folder) => {
      writeFileSync(join(folder, 'weights'), 'half');
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
        ...{ code: 'ENOSPC', syscall: 'write', path: join(folder, 'weights') },
      });
    },
    1,
  );
  await expect(refuse).rejects.toThrow(
    `${join(checkpoints, 'step-2', 'weights')}: cannot be written: the disk is full`,
  );
  expect(await findCheckpoints(checkpoints)).toEqual({ newest: first, damaged: [] });
});
