import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
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
  templatePrintsDate: false,
};

async function finishedRun(): Promise<void> {
  using run = await RunFolder.create(path, { config });
  await run.saveFinal((folder) => writeFileSync(join(folder, 'model'), 'weights'));
}

describe('a new run', () => {
  test('writes the configuration and creates the folders', async () => {
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

  test('a run that was killed before its first checkpoint starts again, even without config.yaml', async () => {
    const leave = [
      () => writeFileSync(join(path, '.config.yaml.partial-999999999-ab'), 'model:'),
      () => writeFileSync(join(path, 'metrics.jsonl'), '{"step":1}\n'),
      () => mkdirSync(join(path, 'checkpoints')),
    ];
    for (const leftover of leave) {
      mkdirSync(path, { recursive: true });
      leftover();
      const told: string[] = [];
      using _ = await RunFolder.create(path, { config, notice: (text) => told.push(text) });
      expect(told).toEqual([expect.stringMatching(/first: .*checkpoint/)]);
      expect(readdirSync(path).sort()).toEqual(['.lock', 'config.yaml']);
      rmSync(path, { recursive: true });
    }
  });

  test('half a checkpoint is enough to ask before removing it', async () => {
    mkdirSync(join(path, 'checkpoints', 'step-4'), { recursive: true });
    writeFileSync(join(path, 'config.yaml'), '');
    await expect(RunFolder.create(path, { config })).rejects.toThrow(/--resume .*--overwrite/);
  });

  test('a damaged config.yaml is named', async () => {
    await finishedRun();
    for (const [text, message] of [
      ['model: [', 'config.yaml: is not valid YAML'],
      ['- model', 'config.yaml: does not contain options'],
    ] as const) {
      writeFileSync(join(path, 'config.yaml'), text);
      await expect(RunFolder.create(path, { config, resume: true })).rejects.toThrow(message);
    }
    rmSync(join(path, 'config.yaml'));
    mkdirSync(join(path, 'config.yaml'));
    await expect(RunFolder.create(path, { config, resume: true })).rejects.toThrow(
      /config\.yaml: cannot be read: .*folder/,
    );
  });

  test('results are not written where no files can be stored', async () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    const create = (where: string) => RunFolder.create(where, { config });
    await expect(create(file)).rejects.toThrow('is a file, but results need a folder');
    await expect(create(join(file, 'run'))).rejects.toThrow('a folder is expected');
    await expect(create('/dev/null')).rejects.toThrow('is a device, a pipe or a socket');
    if (process.platform !== 'linux') return;
    await expect(create('/proc/run')).rejects.toThrow('is on a proc file system');
  });

  test('an existing run is rejected, resumed, or overwritten', async () => {
    await finishedRun();
    await expect(RunFolder.create(path, { config })).rejects.toThrow(
      /--resume .*--overwrite .*--output/,
    );
    (await RunFolder.create(path, { config, resume: true })).close();
    expect(existsSync(join(path, 'final', 'model'))).toBe(true);
    writeFileSync(join(path, 'notes.txt'), 'mine');
    (await RunFolder.create(path, { config, overwrite: true })).close();
    expect(readdirSync(path).sort()).toEqual(['config.yaml', 'notes.txt']);
  });

  test('a folder with something else is never touched', async () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'thesis.tex'), '');
    for (const how of [{}, { resume: true }, { overwrite: true }]) {
      await expect(RunFolder.create(path, { config, ...how })).rejects.toThrow(
        /thesis\.tex.*--output/,
      );
    }
    expect(readdirSync(path)).toEqual(['thesis.tex']);
  });

  test('nothing to resume, and both options at once', async () => {
    await expect(RunFolder.create(path, { config, resume: true })).rejects.toThrow(
      /no run to resume/,
    );
    const both = RunFolder.create(path, { config, resume: true, overwrite: true });
    await expect(both).rejects.toThrow(/--resume .*--overwrite/);
  });

  test('resuming with a different option is rejected if it matters', async () => {
    await finishedRun();
    const other = RunFolder.create(path, { config: { ...config, beta: 0.2 }, resume: true });
    await expect(other).rejects.toThrow(/beta was 0.1, now 0.2/);
    (await RunFolder.create(path, { config: { ...config, max_steps: 20 }, resume: true })).close();
    expect(readFileSync(join(path, 'config.yaml'), 'utf8')).toContain('max_steps: 20');
  });
});

test('another process of the run has its own files, and sees the result and the best weights', async () => {
  using run = await RunFolder.create(path, { config });
  mkdirSync(join(run.bestPath, 'step-3'), { recursive: true });
  writeFileSync(run.metricsPath, '{"step":3}\n');
  const other = RunFolder.follow(path, { resume: true });
  expect([other.follows, other.bestPath, other.finalPath]).toEqual([
    ...[true, run.bestPath, run.finalPath],
  ]);
  expect(readdirSync(other.path)).toEqual(['metrics.jsonl']);
  other[Symbol.dispose]();
  expect(existsSync(other.path)).toBe(false);
  expect(readdirSync(run.bestPath)).toEqual(['step-3']);
});

describe('checkpoints', () => {
  const fill = (folder: string): void => writeFileSync(join(folder, 'weights'), 'abcdef');

  test('the newest are kept, by number and not by name', async () => {
    using run = await RunFolder.create(path, { config });
    for (const step of [8, 9, 10, 11]) await run.saveCheckpoint(step, fill, 2);
    expect(readdirSync(run.checkpointsPath).sort()).toEqual(['step-10', 'step-11']);
    expect(await run.latestCheckpoint()).toEqual({
      step: 11,
      path: join(run.checkpointsPath, 'step-11'),
    });
  });

  test('leftovers of a killed writer are removed on resume', async () => {
    await finishedRun();
    mkdirSync(join(path, 'checkpoints', '.step-5.partial-999999999-ab'), { recursive: true });
    using run = await RunFolder.create(path, { config, resume: true });
    expect(readdirSync(run.checkpointsPath)).toEqual([]);
  });
});

test('environment.json describes the environment, and that of each resume', async () => {
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
