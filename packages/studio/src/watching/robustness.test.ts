// Folders as they are in life: moved, copied, damaged, large, or without permission.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { RunWatcher } from './run-watcher.ts';
import { lines, temporaryFolder, trainingFiles, writeFiles } from './testing/run-folders.ts';

/** The files of a run that was made at a path, from another run's result. */
function runAt(root: string, name: string, model: string): Record<string, unknown> {
  const { version, ...record } = trainingFiles()['run.json'] as Record<string, unknown>;
  return trainingFiles({
    'config.yaml': `# keel dpo,\nmodel: ${model}\noutput: runs/${name}\n`,
    'run.json': { version, ...record, folder: root, resume: ['dpo', '--config', 'c.yaml'] },
  });
}

describe('runs that were moved', () => {
  function made(): { root: string; runs: string } {
    const root = temporaryFolder();
    const runs = join(root, 'runs');
    writeFiles(join(runs, 'sft'), { ...runAt(root, 'sft', 'small'), 'final/a': '' });
    writeFiles(join(runs, 'dpo'), runAt(root, 'dpo', 'runs/sft/final'));
    return { root, runs };
  }

  const parents = async (runs: string, id: string) =>
    (await new RunWatcher(runs).run(id)).lineage.edges.map(({ from }) => from).sort();

  test('a run in another folder still knows its parent, and is not resumed elsewhere', async () => {
    const { runs } = made();
    mkdirSync(join(runs, 'old'));
    renameSync(join(runs, 'dpo'), join(runs, 'old/dpo'));
    expect(await parents(runs, 'old/dpo')).toEqual(['model:small', 'run:sft']);
    const { resume, state } = await new RunWatcher(runs).run('old/dpo');
    expect(state).toBe('interrupted');
    expect(resume.why).toMatch(
      /was copied or moved here from .*runs\/dpo, which its command names/,
    );
  });

  test('a copy of a run does not resume the original', async () => {
    const { runs } = made();
    cpSync(join(runs, 'dpo'), join(runs, 'copy'), { recursive: true });
    const watcher = new RunWatcher(runs);
    expect(() => watcher.resume('copy')).toThrow(/was copied or moved here/);
    expect((await watcher.run('dpo')).resume.why).toBeNull();
  });

  test('all runs together, as to another machine, know each other', async () => {
    const { root, runs } = made();
    const other = join(temporaryFolder(), 'experiments/runs');
    mkdirSync(join(other, '..'), { recursive: true });
    renameSync(runs, other);
    rmSync(root, { recursive: true });
    expect(await parents(other, 'dpo')).toEqual(['model:small', 'run:sft']);
    expect((await new RunWatcher(other).run('sft')).usedBy).toEqual(['dpo']);
  });

  test('a parent that is gone is named as such', async () => {
    const { runs } = made();
    rmSync(join(runs, 'sft'), { recursive: true });
    const { lineage } = await new RunWatcher(runs).run('dpo');
    expect(lineage.nodes).toContainEqual({
      ...{ id: 'model:runs/sft/final', kind: 'model', label: 'runs/sft/final' },
      ...{ sha256: null, run: null, gone: true },
    });
    expect(lineage.nodes.find(({ id }) => id === 'model:small')).toBeUndefined();
  });

  test('two runs with one name are two', async () => {
    const { root, runs } = made();
    writeFiles(join(runs, 'later/sft'), runAt(root, 'later/sft', 'large'));
    const watcher = new RunWatcher(runs);
    expect(watcher.list().runs.map(({ id, model }) => [id, model])).toEqual([
      ['dpo', 'runs/sft/final'],
      ['later/sft', 'large'],
      ['sft', 'small'],
    ]);
    expect(await parents(runs, 'dpo')).toEqual(['model:small', 'run:sft']);
    expect((await watcher.run('later/sft')).usedBy).toEqual([]);
  });
});

describe('files that are damaged', () => {
  test('a log that was cut off, a torn line, and numbers that are not finite', async () => {
    const root = temporaryFolder();
    const folder = writeFiles(join(root, 'a'), trainingFiles());
    const watcher = new RunWatcher(root);
    expect(watcher.series('a', { names: ['loss'] })[0]!.count).toBe(4);
    writeFiles(folder, {
      'metrics.jsonl': `${lines([
        { step: 1, loss: 'Infinity' },
        { step: 2, loss: 'NaN', reward: 1 },
      ])}{"step":3,"loss":0.`,
    });
    expect(watcher.series('a', { names: ['loss', 'reward'] })).toMatchObject([
      {
        ...{ count: 2, values: [] },
        nonFinite: [
          { step: 1, value: 'Infinity' },
          { step: 2, value: 'NaN' },
        ],
      },
      { values: [1] },
    ]);
    expect(watcher.list().runs[0]).toMatchObject({ step: 2, number: { name: 'reward', value: 1 } });
    expect((await watcher.run('a')).faults).toEqual([]);
    // The process died within the line, and another one went on.
    appendFileSync(join(folder, 'metrics.jsonl'), '5}\n{"step":4,"loss":0.25}\n');
    expect(watcher.series('a', { names: ['loss'] })[0]).toMatchObject({
      ...{ steps: [3, 4], values: [0.5, 0.25] },
    });
  });

  test('small files that cannot be read are named', async () => {
    const root = temporaryFolder();
    writeFiles(join(root, 'a'), trainingFiles({ 'config.yaml': ': {', 'run.json': '{' }));
    // A folder where a file should be.
    const other = writeFiles(join(root, 'b'), trainingFiles());
    for (const name of ['metrics.jsonl', 'samples.jsonl', 'health.json']) {
      rmSync(join(other, name), { force: true });
      mkdirSync(join(other, name));
    }
    const watcher = new RunWatcher(root);
    expect(watcher.list().runs).toHaveLength(2);
    expect((await watcher.run('a')).faults).toEqual([
      'config.yaml: is damaged, or cannot be read',
      'run.json: is damaged, or cannot be read',
    ]);
    expect((await watcher.run('b')).faults).toEqual([
      'health.json: is damaged, or cannot be read',
      'metrics.jsonl: cannot be read: it is a folder',
      'samples.jsonl: cannot be read: it is a folder',
    ]);
  });
});

test('folders and files without permission do not hide the others', () => {
  const root = temporaryFolder();
  for (const name of ['open', 'no-metrics', 'closed', 'not-searched']) {
    writeFiles(join(root, name), trainingFiles());
  }
  const trl = join(root, 'trl');
  cpSync(join(import.meta.dirname, 'testing/trl/sft'), trl, { recursive: true });
  const [first] = readdirSync(join(trl, 'runs'));
  const [events] = readdirSync(join(trl, 'runs', first!));
  chmodSync(join(trl, 'runs', first!, events!), 0o000);
  chmodSync(join(trl, 'checkpoint-8/trainer_state.json'), 0o000);
  chmodSync(root, 0o755);
  chmodSync(join(root, 'no-metrics/metrics.jsonl'), 0o000);
  chmodSync(join(root, 'closed'), 0o000);
  chmodSync(join(root, 'not-searched'), 0o444);
  const seen = asNobody(`
    const watcher = new RunWatcher(${JSON.stringify(root)});
    const { runs, unreadable } = watcher.list();
    const { faults } = await watcher.run('no-metrics');
    const { faults: ofTrl } = await watcher.run('trl');
    return { runs: runs.map(({ id, step }) => [id, step]), unreadable, faults, ofTrl };
  `);
  for (const name of ['closed', 'not-searched']) chmodSync(join(root, name), 0o755);
  expect(seen).toEqual({
    runs: [
      ['no-metrics', 0],
      ['open', 4],
      // The second events, and the state of the checkpoint before.
      ['trl', 8],
    ],
    unreadable: ['closed', 'not-searched'],
    faults: ['metrics.jsonl: cannot be read: no permission to read it'],
    ofTrl: [
      expect.stringMatching(/^checkpoint-8\/trainer_state\.json: /) as string,
      expect.stringMatching(/^events\..*: cannot be read: no permission to read it/) as string,
    ],
  });
});

/** What code returns in a process of a user without rights; root may read everything. */
function asNobody(body: string): unknown {
  const module = fileURLToPath(new URL('./run-watcher.ts', import.meta.url));
  const code = `
    import { RunWatcher } from ${JSON.stringify(module)};
    const work = async () => { ${body} };
    process.stdout.write(JSON.stringify(await work()));
  `;
  const script = ['--input-type=module', '--eval', code];
  const isRoot = process.getuid?.() === 0;
  const command = isRoot ? 'setpriv' : process.execPath;
  const rights = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const words = isRoot ? [...rights, process.execPath, ...script] : script;
  return JSON.parse(execFileSync(command, words, { encoding: 'utf8', cwd: '/' }));
}

test('100,000 steps are summarised, and shown in any part', () => {
  const root = temporaryFolder();
  const rows = Array.from({ length: 100_000 }, (_, at) => ({
    ...{ step: at + 1, loss: at === 54_320 ? 99 : 1 / (at + 1) },
  }));
  writeFiles(join(root, 'long'), trainingFiles({ 'metrics.jsonl': lines(rows) }));
  const watcher = new RunWatcher(root);
  expect(watcher.list().runs[0]).toMatchObject({ step: 100_000 });
  const [loss] = watcher.series('long', { names: ['loss'], points: 600 });
  expect(loss!.count).toBe(100_000);
  expect(loss!.steps.length).toBeLessThanOrEqual(602);
  expect([loss!.steps[0], loss!.steps.at(-1), Math.max(...loss!.values)]).toEqual([1, 100_000, 99]);
  const part = watcher.series('long', { names: ['loss'], from: 54_300, to: 54_340, points: 600 });
  expect(part[0]!.steps).toHaveLength(41);
});

test('500 runs are listed, each once', () => {
  const root = temporaryFolder();
  const files = trainingFiles();
  for (let at = 0; at < 500; at++) writeFiles(join(root, `group-${at % 20}/run-${at}`), files);
  const watcher = new RunWatcher(root);
  const { runs, complete, unreadable } = watcher.list();
  expect([new Set(runs.map(({ id }) => id)).size, complete, unreadable]).toEqual([500, true, []]);
  appendFileSync(join(root, 'group-7/run-7/metrics.jsonl'), lines([{ step: 5, loss: 0.4 }]));
  const changed = watcher.list().runs.filter(({ step }) => step !== 4);
  expect(changed.map(({ id }) => id)).toEqual(['group-7/run-7']);
});
