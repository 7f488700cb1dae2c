// Runs of TRL, with files that TRL wrote (testing/trl/make-runs.py), and what can happen to them.
import {
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { TensorBoardWriter } from '@keel/align/internal';
import { expect, test } from 'vitest';
import { RunWatcher } from './run-watcher.ts';
import { temporaryFolder, writeFiles } from './testing/run-folders.ts';

const files = join(import.meta.dirname, 'testing/trl');

/** A copy of a run of TRL, whose checkpoints are written after its events, as they were. */
function copied(name: 'sft' | 'grpo'): { root: string; run: string } {
  const root = temporaryFolder();
  const run = join(root, name);
  cpSync(join(files, name), run, { recursive: true });
  return { root, run };
}

interface Logged {
  log_history: Record<string, number>[];
}

const stateOf = (run: string, step: number): Logged =>
  JSON.parse(readFileSync(join(run, `checkpoint-${step}/trainer_state.json`), 'utf8'));

/** What the charts show of everything that TRL logged, as it logged it. */
const shown = (watcher: RunWatcher, id: string, { log_history: log }: Logged) =>
  log.map((row) => ({
    ...Object.fromEntries(
      Object.keys(row).map((name) => {
        const [series] = watcher.series(id, { names: [name] });
        return [name, series?.values[series.steps.indexOf(row.step!)]];
      }),
    ),
    step: row.step!,
  }));

test('a run that was killed and resumed is one run, with what TRL logged', async () => {
  const { root, run } = copied('sft');
  const watcher = new RunWatcher(root);
  expect(watcher.list().runs).toMatchObject([
    {
      ...{ id: 'sft', kind: 'trainer', verb: 'TRL sft', state: 'finished', step: 8, total: 8 },
      started: expect.stringMatching(/^2026-11-30T21:07/) as string,
    },
  ]);
  const details = await watcher.run('sft');
  expect(details).toMatchObject({
    ...{ faults: [], message: null },
    checkpoints: [
      { step: 4, best: false },
      { step: 8, best: true },
    ],
  });
  expect(details.config!.options).toContainEqual({
    ...{ key: 'learning_rate', value: 0.001, group: 'Arguments' },
  });
  const state = stateOf(run, 8);
  expect(state.log_history.length).toBeGreaterThan(8);
  expect(shown(watcher, 'sft', state)).toEqual(state.log_history);
  const charts = details.charts.filter(({ main }) => main).map(({ id }) => id);
  expect(charts).toEqual(
    expect.arrayContaining(['loss', 'token-accuracy', 'entropy', 'grad-norm', 'learning-rate']),
  );
  expect((await watcher.run('sft/runs/Nov30_21-07-14_vm')).id).toBe('sft');
});

test('without checkpoints, events of the second start replace those after its first step', () => {
  const { root, run } = copied('sft');
  for (const step of [4, 8]) rmSync(join(run, `checkpoint-${step}/trainer_state.json`));
  const watcher = new RunWatcher(root);
  // Only the events are left: without a state, they are runs by themselves.
  expect(watcher.list().runs.map(({ kind }) => kind)).toEqual(['tensorboard', 'tensorboard']);
  writeFiles(run, {
    'checkpoint-4/trainer_state.json': readFileSync(
      `${files}/sft/checkpoint-4/trainer_state.json`,
      'utf8',
    ),
  });
  const [loss] = watcher.series('sft', { names: ['loss'] });
  expect(loss!.steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const second = watcher.series('sft', { names: ['loss'], from: 5 })[0]!.values;
  const logged = stateOf(join(files, 'sft'), 8).log_history;
  for (const [at, value] of second.entries()) {
    const { loss: expected } = logged.find((row) => row.step === 5 + at && 'loss' in row)!;
    // Events have single precision.
    expect(value).toBeCloseTo(expected!, 5);
  }
});

test('without events, the state of the last checkpoint is the run', async () => {
  const { root, run } = copied('sft');
  rmSync(join(run, 'runs'), { recursive: true });
  const watcher = new RunWatcher(root);
  const state = stateOf(run, 8);
  expect(shown(watcher, 'sft', state)).toEqual(state.log_history);
  expect(watcher.list().runs[0]).toMatchObject({ state: 'finished', step: 8, total: 8 });
  // A checkpoint that is being written: the one before it, with what is wrong.
  truncateSync(join(run, 'checkpoint-8/trainer_state.json'), 500);
  const late = new Date(Date.now() + 5000);
  utimesSync(join(run, 'checkpoint-8/trainer_state.json'), late, late);
  const details = await watcher.run('sft');
  expect(details).toMatchObject({ step: 4, total: 8, state: 'recorded' });
  expect(details.faults).toEqual([
    expect.stringMatching(/^checkpoint-8\/trainer_state.json: is not a whole state/),
  ]);
});

test("values that are not finite, which Python's JSON has", async () => {
  const root = temporaryFolder();
  writeFiles(join(root, 'run'), {
    'checkpoint-2/trainer_state.json':
      '{"global_step": 2, "max_steps": -1, "best_model_checkpoint": "out/checkpoint-2", "log_history": [{"step": 1, "loss": NaN, "note": "NaN \\" -Infinity"}, {"step": 2, "loss": -Infinity, "grad_norm": Infinity}]}',
  });
  const watcher = new RunWatcher(root);
  expect(watcher.series('run', { names: ['loss', 'grad_norm'] })).toMatchObject([
    {
      values: [],
      nonFinite: [
        { step: 1, value: 'NaN' },
        { step: 2, value: '-Infinity' },
      ],
    },
    { values: [], nonFinite: [{ step: 2, value: 'Infinity' }] },
  ]);
  expect(await watcher.run('run')).toMatchObject({
    ...{ total: null, state: 'recorded', checkpoints: [{ step: 2, best: true }] },
  });
});

test('a new run in the folder of an old one is not continued by the old checkpoint', () => {
  const root = temporaryFolder();
  const log = Array.from({ length: 100 }, (_, at) => ({ step: at + 1, loss: 100 }));
  const state = { global_step: 100, max_steps: 100, log_history: log };
  const run = writeFiles(join(root, 'run'), { 'checkpoint-100/trainer_state.json': state });
  const old = new Date('2026-01-02T03:04:05.000Z');
  utimesSync(join(run, 'checkpoint-100/trainer_state.json'), old, old);
  writeFiles(run, { 'runs/Jan03/placeholder': '' });
  using writer = new TensorBoardWriter(join(run, 'runs/Jan03'));
  for (const step of [1, 2, 3]) writer.metrics({ step, loss: 1 });
  const watcher = new RunWatcher(root);
  expect(watcher.series('run', { names: ['loss'] })).toMatchObject([
    { steps: [1, 2, 3], values: [1, 1, 1] },
  ]);
  expect(watcher.list().runs[0]).toMatchObject({ state: 'recorded', step: 3 });
  // Its own checkpoint is newer, though its step is smaller.
  writeFiles(run, {
    'checkpoint-2/trainer_state.json': {
      ...{ global_step: 2, max_steps: 50 },
      log_history: [{ step: 2, loss: 0.123456789012 }],
    },
  });
  expect(watcher.list().runs[0]).toMatchObject({ step: 3, total: 50 });
  expect(watcher.series('run', { names: ['loss'] })[0]!.values).toEqual([1, 0.123456789012, 1]);
});

test("TRL's completions are samples, with the reward that TRL logged", async () => {
  const { root, run } = copied('grpo');
  const watcher = new RunWatcher(root);
  const { samples, faults } = await watcher.run('grpo');
  expect([samples, faults]).toEqual([12, []]);
  const [reward] = watcher.series('grpo', { names: ['reward'] });
  for (const step of [1, 2, 3]) {
    const page = await watcher.samples('grpo', { fromStep: step, toStep: step });
    expect(page.matching).toBe(4);
    const mean = page.samples.reduce((sum, one) => sum + one.reward! / 4, 0);
    expect(mean).toBeCloseTo(reward!.values[step - 1]!, 6);
    const [first] = page.samples;
    expect(Object.keys(first!.aspects!)).toEqual(['short', 'varied']);
    expect(first!.reward).toBeCloseTo(first!.aspects!.short! + 0.5 * first!.aspects!.varied!, 6);
    expect(first).toMatchObject({ kl: null, tokens: null, ended: null });
  }
  expect((await watcher.extremes('grpo', 1, 'all'))!.best).toHaveLength(1);
  const text = (await watcher.samples('grpo', { limit: 1 })).samples[0]!.completion;
  const again = await watcher.samples('grpo', { text: text.slice(0, 12) });
  expect(again.samples.map(({ completion }) => completion)).toContain(text);
  // Without the arguments, nothing says how the two rewards are added.
  rmSync(join(run, 'runs'), { recursive: true });
  const bare = new RunWatcher(root);
  const { samples: unweighted } = await bare.samples('grpo', {});
  expect(unweighted.map((one) => one.reward)).toEqual(unweighted.map(() => null));
  expect(unweighted[0]!.aspects).toEqual({
    short: expect.any(Number) as number,
    varied: expect.any(Number) as number,
  });
  writeFileSync(join(run, 'completions/completions_00009.parquet'), 'half a file');
  expect((await bare.run('grpo')).faults).toEqual([
    expect.stringMatching(/^completions\/completions_00009\.parquet: /),
  ]);
});

test('rewards are added up once the run records how', async () => {
  const { root, run } = copied('grpo');
  const later = temporaryFolder();
  cpSync(join(run, 'runs'), later, { recursive: true });
  rmSync(join(run, 'runs'), { recursive: true });
  const watcher = new RunWatcher(root);
  const early = await watcher.samples('grpo', { sort: 'reward', descending: true });
  expect(early.samples.every(({ reward }) => reward === null)).toBe(true);
  expect(await watcher.extremes('grpo', 1, 'all')).toBeNull();
  cpSync(later, join(run, 'runs'), { recursive: true });
  const { samples } = await watcher.samples('grpo', { sort: 'reward', descending: true });
  const rewards = samples.map(({ reward }) => reward!);
  expect(rewards).toEqual(rewards.toSorted((a, b) => b - a));
  expect(rewards[0]).toBeGreaterThan(rewards.at(-1)!);
  expect((await watcher.samples('grpo', { minReward: rewards[0]! })).matching).toBeGreaterThan(0);
  expect((await watcher.extremes('grpo', 1, 'all'))!.best[0]!.reward).toBe(rewards[0]);
});

test('links that lead out of the watched folder and too large files are named, not read', async () => {
  const { root, run } = copied('grpo');
  const outside = temporaryFolder();
  cpSync(run, join(outside, 'grpo'), { recursive: true });
  // One state stays inside; one checkpoint, an event file and one of completions lead out.
  mkdirSync(join(run, 'checkpoint-4'));
  writeFileSync(
    join(run, 'checkpoint-4/trainer_state.json'),
    '{"global_step": 4, "log_history": [{"step": 4, "inside": 1}]}',
  );
  rmSync(join(run, 'checkpoint-8'), { recursive: true });
  symlinkSync(join(outside, 'grpo/checkpoint-8'), join(run, 'checkpoint-8'));
  const events = 'runs/Nov30_21-08-32_vm/events.out.tfevents.1796072912.vm.17095.0';
  const completions = 'completions/completions_00001.parquet';
  for (const name of [events, completions]) {
    rmSync(join(run, name));
    symlinkSync(join(outside, 'grpo', name), join(run, name));
  }
  // Sparse files: they take no room.
  for (const [name, size] of [
    ['completions/completions_00002.parquet', 256e6 + 1],
    ['checkpoint-6/trainer_state.json', 64e6 + 1],
  ] as const) {
    mkdirSync(join(run, 'checkpoint-6'), { recursive: true });
    writeFileSync(join(run, name), '');
    truncateSync(join(run, name), size);
  }
  const watcher = new RunWatcher(root);
  const { faults, metrics, samples } = await watcher.run('grpo');
  expect(metrics).toEqual(['inside']);
  expect(samples).toBe(4);
  expect(faults.toSorted()).toEqual([
    'checkpoint-6/trainer_state.json: is larger than 64 MB, so it is not read',
    'checkpoint-8/trainer_state.json: is a link that leads out of the watched folder, so it is not read',
    'completions/completions_00001.parquet: is a link that leads out of the watched folder, so it is not read',
    'completions/completions_00002.parquet: is larger than 256 MB, so it is not read',
    `${events.split('/').at(-1)}: is a link that leads out of the watched folder, so it is not read`,
  ]);
});
