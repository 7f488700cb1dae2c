import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { TensorBoardWriter } from '@keel/align/internal';
import { ownIdentity } from '@keel/align/runs';
import { describe, expect, test, vi } from 'vitest';
import { RunWatcher } from './run-watcher.ts';
import { lines, temporaryFolder, trainingFiles, writeFiles } from './testing/run-folders.ts';
import { startTrainer } from './testing/trainer-process.ts';

function watched(files: Readonly<Record<string, unknown>> = trainingFiles()): {
  folder: string;
  watcher: RunWatcher;
} {
  const root = temporaryFolder();
  const folder = join(root, 'a');
  writeFiles(folder, files);
  return { folder, watcher: new RunWatcher(root) };
}

const only = (watcher: RunWatcher) => {
  const { runs } = watcher.list();
  expect(runs).toHaveLength(1);
  return runs[0]!;
};

const dead = { pid: 2 ** 22 + 1, started: '1' };

describe('the list', () => {
  test('a run is described by its own files', () => {
    const { watcher } = watched();
    expect(only(watcher)).toEqual({
      ...{ id: 'a', kind: 'training', verb: 'dpo', state: 'interrupted', message: null },
      ...{ model: 'small', step: 4, total: 8, secondsLeft: null },
      ...{ started: '2026-01-02T03:04:05.000Z', updated: expect.any(String) as string },
      git: { commit: '0123456789', dirty: true },
      number: { name: 'rewards/accuracies', value: 0.75 },
      ...{ warnings: 0, serious: 0, parent: null },
    });
  });

  const { version, ...record } = trainingFiles()['run.json'] as Record<string, unknown>;
  const ended = (how: string, message?: string) => ({
    'run.json': { version, ...record, ended: { how, time: '2026-01-02T03:05:00.000Z', message } },
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['that ended', ended('finished'), 'finished'],
    ['that failed', ended('failed', 'no space left'), 'failed'],
    [
      'whose process was killed',
      { 'run.json': { version, ...record, ended: null } },
      'interrupted',
    ],
    [
      'whose process was killed after it had been resumed',
      { '.lock': { ...ownIdentity(), ...dead }, 'run.json': { version, ...record, ended: null } },
      'interrupted',
    ],
    ['on another machine', { '.lock': { pid: 1, host: 'other' } }, 'elsewhere'],
    ['of this process', { '.lock': ownIdentity() }, 'running'],
    ['of an older version, with a result', { 'run.json': '', 'final/a': '' }, 'finished'],
    ['of an older version, without', { 'run.json': '' }, 'interrupted'],
    [
      'of an older version, with rows that are not finite',
      { 'run.json': '', 'non-finite-rows.jsonl': '' },
      'failed',
    ],
    ['with a damaged lock', { '.lock': 'damaged' }, 'interrupted'],
  ])('a run %s', (_, files, state) => {
    const { watcher } = watched(trainingFiles(files));
    expect(only(watcher).state).toBe(state);
  });

  test('the message of a failed run', () => {
    const { watcher } = watched(trainingFiles(ended('failed', 'no space left')));
    expect(only(watcher).message).toBe('no space left');
  });

  test('a running run has the time that its last steps took', () => {
    const { watcher } = watched(trainingFiles({ '.lock': ownIdentity() }));
    // Steps of 3, 3, 3 and 7 seconds, and 4 steps to go.
    expect(only(watcher).secondsLeft).toBe(16);
  });

  test('what did not change for long is described once, and again when it changes', () => {
    const { folder, watcher } = watched();
    const old = new Date('2026-01-02T03:04:05.000Z');
    const age = (): void => {
      for (const name of ['metrics.jsonl', 'run.json', '.'])
        utimesSync(join(folder, name), old, old);
    };
    age();
    expect(only(watcher)).toMatchObject({ step: 4, updated: old.toISOString() });
    // Not read again: the folder and the files look as before.
    const path = join(folder, 'config.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('small', 'other'));
    age();
    expect(only(watcher).model).toBe('small');
    appendFileSync(join(folder, 'metrics.jsonl'), lines([{ step: 5, loss: 1 }]));
    expect(only(watcher)).toMatchObject({ step: 5, model: 'other' });
    age();
    expect(only(watcher).state).toBe('interrupted');
    writeFiles(folder, { '.lock': ownIdentity() });
    expect(only(watcher).state).toBe('running');
    rmSync(join(folder, '.lock'));
    expect(only(watcher).state).toBe('interrupted');
  });

  test('health, stages and damaged files', () => {
    const root = temporaryFolder();
    const finding = (severity: string) => ({ code: 'kl-bound', severity, step: 1, evidence: {} });
    const stage = (result: unknown) => ({
      identity: { verb: 'sft', options: {}, inputs: {}, code: '' },
      ...{ began: '', seconds: 1, result },
    });
    const result = { sha256: 'cc', step: 4, ended: '', headlines: [] };
    writeFiles(join(root, 'recipe'), {
      'stages.json': { version: 1, stages: { one: stage(result), two: stage(null) } },
      'recipe.yaml': 'stages:\n  one: {}\n  two: {}\n  three: {}\n',
    });
    const health = { checked: [], findings: [finding('serious'), finding('warning')] };
    writeFiles(join(root, 'recipe/one'), trainingFiles({ 'health.json': health }));
    writeFiles(join(root, 'damaged'), {
      ...{ 'config.yaml': ': {', 'metrics.jsonl': '\0\0\n', 'run.json': '{', 'health.json': '[]' },
    });
    const { runs } = new RunWatcher(root).list();
    expect(runs).toMatchObject([
      { id: 'damaged', state: 'interrupted', verb: null, step: null },
      { id: 'recipe', verb: 'align', state: 'interrupted', step: 1, total: 3, parent: null },
      { id: 'recipe/one', serious: 1, warnings: 1, parent: 'recipe' },
    ]);
  });
});

describe('a run', () => {
  test('its options, numbers and lineage', async () => {
    const { watcher } = watched();
    const run = await watcher.run('a');
    expect(run.config!.options).toEqual([
      { key: 'model', value: 'small', group: 'Model and data' },
      { key: 'data', value: ['rows.jsonl'], group: 'Model and data' },
      { key: 'learning_rate', value: 0.0001, group: 'Optimisation' },
      { key: 'max_steps', value: 8, group: 'Optimisation' },
    ]);
    expect(run.lineage.nodes.map(({ id, sha256 }) => [id, sha256])).toEqual([
      ['run:a', null],
      ['model:small', 'aa'],
      ['data:rows.jsonl', 'bb'],
    ]);
    expect(run.metrics).toContain('loss');
    const [loss] = watcher.series('a', { names: ['loss', 'nothing'] });
    expect(loss).toEqual({
      ...{ name: 'loss', count: 4, steps: [1, 2, 4], values: [0.7, 0.6, 0.5] },
      nonFinite: [{ step: 3, value: 'NaN' }],
    });
  });

  test('rows that are added are read once', () => {
    const { folder, watcher } = watched();
    const first = watcher.rows('a', null);
    expect(first.rows).toHaveLength(5);
    appendFileSync(join(folder, 'metrics.jsonl'), lines([{ step: 5, loss: 0.4 }]));
    const second = watcher.rows('a', first.cursor);
    expect([second.rows, second.restarted]).toEqual([[{ step: 5, loss: 0.4 }], false]);
    expect(watcher.rows('a', second.cursor).rows).toEqual([]);
  });

  test('metrics that start later are found', async () => {
    const { folder, watcher } = watched(trainingFiles({ 'metrics.jsonl': '' }));
    rmSync(join(folder, 'metrics.jsonl'));
    expect((await watcher.run('a')).metrics).toEqual([]);
    writeFiles(folder, { 'metrics.jsonl': lines([{ step: 1, loss: 1 }]) });
    expect((await watcher.run('a')).metrics).toEqual(['loss']);
  });

  test('findings are those of the run; a TRL run is checked by the same rules', async () => {
    const root = temporaryFolder();
    writeFiles(join(root, 'keel'), trainingFiles());
    mkdirSync(join(root, 'trl'));
    {
      using writer = new TensorBoardWriter(join(root, 'trl'));
      for (let step = 1; step <= 30; step++) {
        writer.metrics({ step, 'rewards/margins': step < 5 ? 0 : 90, loss: 0.1 });
      }
    }
    const watcher = new RunWatcher(root);
    // A run of Keel writes a finding when it is found.
    expect((await watcher.run('keel')).notices).toEqual({ by: 'run', checked: [], findings: [] });
    const { notices } = await watcher.run('trl');
    expect(notices.by).toBe('studio');
    expect(notices.findings).toMatchObject([{ code: 'exploding-margin', severity: 'serious' }]);
    expect(notices.findings[0]!.evidence).not.toEqual({});
    expect(watcher.list().runs.find(({ id }) => id === 'trl')).toMatchObject({
      ...{ step: 30, number: { name: 'loss', value: expect.closeTo(0.1) as number } },
    });
  });

  test('the reward against its KL, at the steps that have both', () => {
    const rows = Array.from({ length: 1000 }, (_, at) => ({
      ...{ step: at + 1, reward: at, 'objective/kl': at % 2 === 0 ? at / 10 : 'NaN' },
    }));
    const { watcher } = watched(trainingFiles({ 'metrics.jsonl': lines(rows) }));
    const points = watcher.rewardCosts('a');
    expect(points.length).toBeLessThanOrEqual(201);
    expect(points.length).toBeGreaterThan(90);
    expect(points.at(-1)!.step).toBe(999);
    for (const { reward, kl } of points) expect(kl).toBeCloseTo(reward / 10);
  });

  test('answers side by side', () => {
    const answer = (step: number, prompt: string, completion: string) => ({
      ...{ step, prompt, completion, tokens: 3, ended: true },
    });
    const { watcher } = watched(
      trainingFiles({
        'answers.jsonl': `${lines([answer(0, 'p', 'before'), answer(0, 'q', 'x'), answer(4, 'p', 'after')])}{"step":9`,
      }),
    );
    const found = watcher.answers('a');
    expect(found.steps).toEqual([0, 4]);
    expect(
      found.prompts.map(({ prompt, answers }) => [
        prompt,
        ...answers.map((one) => one?.completion),
      ]),
    ).toEqual([
      ['p', 'before', 'after'],
      ['q', 'x', undefined],
    ]);
  });

  test('a TRL run has its arguments as options, and is one with its checkpoints', async () => {
    const root = temporaryFolder();
    const folder = join(root, 'out/runs/Nov30_host');
    mkdirSync(folder, { recursive: true });
    {
      using writer = new TensorBoardWriter(folder);
      writer.text(0, 'args/text_summary', '{"learning_rate": 1e-5, "hub_token": null}');
      writer.metrics({ step: 3, loss: 0.5, 'rewards/margins': 1 });
    }
    const watcher = new RunWatcher(root);
    const run = await watcher.run('out/runs/Nov30_host');
    expect(run).toMatchObject({ kind: 'tensorboard', state: 'recorded', step: 3, checkpoints: [] });
    expect(run.config!.options).toEqual([
      { key: 'learning_rate', value: 1e-5, group: 'Arguments' },
    ]);
    expect(watcher.series(run.id, { names: ['loss'] })).toMatchObject([{ values: [0.5] }]);
    writeFiles(join(root, 'out'), {
      'checkpoint-20/trainer_state.json': { global_step: 20, max_steps: 40, log_history: [] },
      'README.md': '---\nbase_model: org/base\ntags:\n- trl\n- dpo\n---\n# A card\n',
    });
    expect(watcher.list().runs.map(({ id }) => id)).toEqual(['out']);
    // The address of the events leads to the run that they are part of.
    const whole = await watcher.run('out/runs/Nov30_host');
    expect(whole).toMatchObject({
      ...{ id: 'out', kind: 'trainer', verb: 'TRL dpo', model: 'org/base', step: 3, total: 40 },
      checkpoints: [{ step: 20, best: false }],
    });
  });

  test.each(['b', '..', '../a', 'a/../a', 'a/config.yaml', ''])('%j is no run', async (id) => {
    const { watcher } = watched();
    await expect(watcher.run(id)).rejects.toThrow(/no such run|not the id/);
    expect(() => watcher.rows(id, null)).toThrow();
    await expect(watcher.samples(id, {})).rejects.toThrow();
    expect(() => watcher.report(id)).toThrow();
    expect(() => watcher.stop(id)).toThrow();
    expect(() => watcher.resume(id)).toThrow();
  });

  test('files that are links out of the root are not read', async () => {
    const { folder, watcher } = watched();
    const outside = writeFiles(temporaryFolder(), {
      ...trainingFiles({ 'report.html': 'secret', 'samples.jsonl': lines([{ step: 1 }]) }),
    });
    for (const name of ['report.html', 'samples.jsonl', 'config.yaml', 'metrics.jsonl']) {
      rmSync(join(folder, name), { force: true });
      symlinkSync(join(outside, name), join(folder, name));
    }
    const run = await watcher.run('a');
    expect(run).toMatchObject({ config: null, metrics: [], samples: 0, hasReport: false });
    expect(() => watcher.report('a')).toThrow(/no report yet/);
    expect(watcher.rows('a', null).rows).toEqual([]);
  });
});

describe('lineage', () => {
  test('runs that were made from others, and stages of a recipe', async () => {
    const root = temporaryFolder();
    const config = (text: string) => trainingFiles({ 'config.yaml': `# keel ppo,\n${text}` });
    writeFiles(join(root, 'sft'), trainingFiles({ 'final/a': '' }));
    writeFiles(
      join(root, 'ppo'),
      config(`model: ${root}/sft/final\nreward: model:${root}/reward\ndata: p.jsonl\n`),
    );
    writeFiles(join(root, 'reward'), config('model: base\n'));
    const watcher = new RunWatcher(root);
    const { lineage } = await watcher.run('ppo');
    expect(lineage.edges.map(({ from, to, label }) => `${from} > ${to} (${label})`).sort()).toEqual(
      [
        'data:p.jsonl > run:ppo (data)',
        'data:rows.jsonl > run:sft (data)',
        'model:base > run:reward (model)',
        'model:small > run:sft (model)',
        'run:reward > run:ppo (reward)',
        'run:sft > run:ppo (model)',
      ],
    );
    expect((await watcher.run('sft')).usedBy).toEqual(['ppo']);

    const inputs = (from: string) => ({ model: [{ name: from, sha256: 'aa' }] });
    const stage = (from: string) => ({
      identity: { verb: 'sft', options: {}, inputs: inputs(from), code: '' },
      ...{ began: '', seconds: 1, result: null },
    });
    const stages = { one: stage('base'), two: stage('stages.one') };
    writeFiles(join(root, 'recipe'), { 'stages.json': { version: 1, stages } });
    expect((await watcher.run('recipe')).lineage.edges).toEqual([
      { from: 'model:base', to: 'run:recipe/one', label: 'model' },
      { from: 'run:recipe/one', to: 'run:recipe/two', label: 'model' },
    ]);
  });
});

describe('a comparison', () => {
  test('the date of the template is an option only if a template prints it', () => {
    const root = temporaryFolder();
    for (const [name, day, printsDate] of [
      ['a', 1, undefined],
      ['b', 2, false],
      ['c', 3, true],
    ] as const) {
      writeFiles(
        join(root, name),
        trainingFiles({
          'config.yaml': `# keel dpo,\nmodel: small\ntemplate_date: "2026-01-0${day}T00:00:00"\n`,
          'environment.json': { templatePrintsDate: printsDate },
        }),
      );
    }
    const watcher = new RunWatcher(root);
    // A run of an older version does not say.
    expect(watcher.compare(['a', 'b'])).toMatchObject({ options: [], datesLeftOut: true });
    const printed = watcher.compare(['b', 'c']);
    expect(printed.datesLeftOut).toBe(false);
    expect(printed.options).toMatchObject([
      { key: 'template_date', values: ['2026-01-02T00:00:00', '2026-01-03T00:00:00'] },
    ]);
  });

  test('only options that differ, and metrics in one list of steps', () => {
    const root = temporaryFolder();
    const files = (rate: number, rows: unknown[]) =>
      trainingFiles({
        'config.yaml': `# keel dpo,\n# Optimisation\nlearning_rate: ${rate}\nseed: 1\noutput: ${rate}\n`,
        'metrics.jsonl': lines(rows),
      });
    writeFiles(
      join(root, 'a'),
      files(1, [
        { step: 1, loss: 1 },
        { step: 2, loss: 'NaN' },
      ]),
    );
    writeFiles(
      join(root, 'b'),
      files(2, [
        { step: 2, loss: 3, kl: 1 },
        { step: 4, loss: 4 },
      ]),
    );
    writeFiles(join(root, 'c'), { 'events.out.tfevents.1.host': '' });
    const watcher = new RunWatcher(root);
    const found = watcher.compare(['a', 'b']);
    expect(found.options).toEqual([
      { key: 'learning_rate', group: 'Optimisation', values: [1, 2], missing: false },
    ]);
    expect(found.metrics).toEqual([
      { name: 'loss', runs: 2 },
      { name: 'kl', runs: 1 },
    ]);
    expect(watcher.aligned(['a', 'b', 'c'], 'loss')).toEqual({
      name: 'loss',
      steps: [1, 2, 4],
      values: [
        [1, null, null],
        [null, 3, 4],
        [null, null, null],
      ],
    });
    const missing = watcher.compare(['a', 'c']).options.map((one) => [one.key, one.missing]);
    expect(missing).toEqual([
      ['learning_rate', true],
      ['seed', true],
    ]);
    expect(() => watcher.compare(['a', 'z'])).toThrow(/no such run/);
  });
});

describe('stopping', () => {
  test('the process of a run is asked once, as Ctrl-C does', async () => {
    const { folder, watcher } = watched();
    const trainer = await startTrainer(folder);
    expect((await watcher.run('a')).state).toBe('running');
    expect(watcher.stop('a')).toEqual({ pid: trainer.pid });
    await trainer.asked;
    expect((await watcher.run('a')).stopping).toBe(true);
    // A second signal would end it before its checkpoint is saved, also of a program that was
    // started again.
    expect(() => watcher.stop('a')).toThrow(/was asked to stop before/);
    expect(() => new RunWatcher(watcher.root).stop('a')).toThrow(/was asked to stop before/);
    expect(await trainer.end()).toBe(130);
    const after = await watcher.run('a');
    expect([after.state, after.stopping]).toEqual(['interrupted', false]);
    const again = await startTrainer(folder);
    expect(watcher.stop('a')).toEqual({ pid: again.pid });
    await again.asked;
  });

  test.each<[string, unknown, RegExp]>([
    ['no process', '', /no process writes to this run/],
    ['a process that ended', { ...ownIdentity(), ...dead }, /no process writes/],
    ['another process with the same id', { ...ownIdentity(), started: '1' }, /no process writes/],
    ['a process of an earlier boot', { ...ownIdentity(), boot: 'earlier' }, /no process writes/],
    [
      'another machine',
      { pid: process.pid, host: 'other' },
      /on other writes to this run. Stop it on/,
    ],
    ['this program', ownIdentity(), /the program that shows this page/],
  ])('a run of %s is refused', (_, lock, message) => {
    const { watcher, folder } = watched(trainingFiles({ '.lock': lock }));
    expect(() => watcher.stop('a')).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: expect.stringMatching(message) as string,
      }),
    );
    expect(existsSync(join(folder, '.stop-asked'))).toBe(false);
  });
});

describe('resuming', () => {
  /** Prints its folder and arguments instead of training. */
  const keel = [
    process.execPath,
    '--eval',
    'console.log(process.cwd()); console.log(JSON.stringify(process.argv.slice(1)))',
    '--',
  ];

  const ended = (watcher: RunWatcher): Promise<boolean> =>
    vi.waitUntil(async () => (await watcher.run('a')).resumed?.running === false, 60_000);

  function resumable(more: Readonly<Record<string, unknown>> = {}) {
    const work = writeFiles(temporaryFolder(), { 'rows.jsonl': '' });
    const { version, ...record } = trainingFiles()['run.json'] as Record<string, unknown>;
    const own = { ...record, folder: work, resume: ['dpo', '--config', 'a b.yaml', '--resume'] };
    const { folder, watcher } = watched(
      trainingFiles({ 'run.json': { version, ...own, ...more } }),
    );
    return { work, folder, watcher: new RunWatcher(watcher.root, { keel }) };
  }

  test('the recorded command runs in the recorded folder, with its output in the run', async () => {
    const { work, folder, watcher } = resumable();
    const { resume } = await watcher.run('a');
    expect(resume.command).toBe('npx keel dpo --config "a b.yaml" --resume');
    const { pid, command } = watcher.resume('a');
    expect(command).toBe(resume.command);
    expect(pid).toBeGreaterThan(0);
    expect(() => watcher.resume('a')).toThrow(/is being resumed/);
    await ended(watcher);
    expect((await watcher.run('a')).resumed).toEqual({ running: false, exitCode: 0 });
    const output = readFileSync(join(folder, 'studio.log'), 'utf8');
    expect(output).toContain(`${work}\n["dpo","--config","a b.yaml","--resume"]`);
    expect(watcher.output('a')).toBe(output);
    // Again, after it has ended.
    expect(watcher.resume('a').pid).not.toBe(pid);
    await ended(watcher);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['that is finished', { ended: { how: 'finished', time: '' } }, /it is finished/],
    ['that only a program resumes', { resume: null }, /names no command/],
    ['of another command', { resume: ['chat', '--x'] }, /names no command/],
    ['whose folder is gone', { folder: '/nowhere/at/all' }, /does not exist any more/],
  ])('a run %s is refused', async (_, record, message) => {
    const { watcher } = resumable(record);
    expect(() => watcher.resume('a')).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: expect.stringMatching(message) as string,
      }),
    );
    expect((await watcher.run('a')).resume).toEqual({
      command: null,
      why: expect.stringMatching(message) as string,
    });
  });

  test('a run whose data is gone, one that runs, and a stage are refused', () => {
    const { work, folder, watcher } = resumable();
    rmSync(join(work, 'rows.jsonl'));
    expect(() => watcher.resume('a')).toThrow(/its data rows.jsonl does not exist/);
    writeFiles(folder, { '.lock': ownIdentity() });
    expect(() => watcher.resume('a')).toThrow(/it is running/);
    rmSync(join(folder, '.lock'));
    writeFiles(join(folder, '..'), { 'stages.json': { version: 1, stages: {} } });
    expect(() => watcher.resume('a')).toThrow(/it is a stage. Resume \. instead/);
  });

  test('without the means to resume, it is refused', () => {
    const { watcher } = resumable();
    expect(() => new RunWatcher(watcher.root).resume('a')).toThrow(/without the means/);
  });
});
