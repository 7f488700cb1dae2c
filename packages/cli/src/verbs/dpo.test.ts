import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { MetricsLog } from '@keel/align/internal';
import { openSafetensors } from '@keel/model';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Calling, jsonLines, TemporaryFolder } from '../testing/command-line.ts';
import { shortRun, tinyChat, train, trajectoryRows } from '../testing/short-runs.ts';

const rows = trajectoryRows('dpo-sigmoid');

const dpo = (folder: TemporaryFolder, args: readonly string[], calling?: Calling) =>
  train('dpo', folder, args, calling);

const short = shortRun(rows);

/** Tensors of a safetensors file as numbers. */
function tensors(path: string): Map<string, Float32Array> {
  using file = openSafetensors(path);
  return new Map(
    [...file.names()].map((name) => [name, new Float32Array(file.read(name).slice().buffer)]),
  );
}

describe('keel dpo', () => {
  test('--json writes one object per line on stdout and nothing else', async () => {
    using folder = new TemporaryFolder();
    const evaluated = ['--eval-data', rows, '--max-steps', '3', '--json'];
    const { code, stdout, stderr } = await dpo(folder, [...short, ...evaluated]);
    expect(code, stderr).toBe(0);
    const [plan, ...events] = jsonLines(stdout);
    expect(plan).toMatchObject({ type: 'plan', verb: 'dpo', reference: { kind: 'initial' } });
    expect(events.map(({ type }) => type)).toEqual([
      'data',
      'start',
      'answers',
      'evaluation',
      'step',
      'step',
      'step',
      'answers',
      'evaluation',
      'checkpoint',
      'final',
    ]);
    expect(events.find(({ type }) => type === 'answers')!.answers).toHaveLength(4);
    expect(events.find(({ type }) => type === 'step')).toMatchObject({
      step: 1,
      total_steps: 3,
      'rewards/margins': 0,
    });
    expect(events.find(({ type }) => type === 'step')!.loss).toBeCloseTo(Math.LN2, 6);
    expect(events.find(({ type }) => type === 'evaluation')).toMatchObject({
      ...{ step: 0, 'eval_rewards/margins': 0 },
      // Policy and reference are the same: all pairs are tied.
      ...{ 'eval_rewards/accuracies': 0.5, 'eval_rewards/ties': 1 },
    });
    const final = folder.file('run/final');
    expect(events.at(-1)).toMatchObject({
      step: 3,
      path: final,
      findings: [],
      chat: `npx keel chat --model ${final}`,
    });
    const report = readFileSync(folder.file('run/report.html'), 'utf8');
    expect(report).toContain('Held-out reward margin');
    expect(report).toMatch(
      /95% interval [\d.]+% to [\d.]+%, before [\d.]+% to [\d.]+%.*ties count half \(100(\.0)?% /s,
    );
    const logged = MetricsLog.read(folder.file('run/metrics.jsonl'));
    expect(logged.filter(({ loss }) => loss !== undefined)).toHaveLength(3);
  });

  test('without a terminal it writes plain lines and where the result is', async () => {
    using folder = new TemporaryFolder();
    const { code, stdout } = await dpo(folder, [...short, '--max-steps', '2', '--lora']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^step 1\/2 {2}loss 0\.6931 {2}margin 0\.000 {2}accuracy 50%.*tokens\/s {2}mfu \d+%$/m,
    );
    expect(stdout).toMatch(/^step 2\/2 {2}loss /m);
    expect(stdout).toContain(
      `npx keel chat --model ${tinyChat} --adapter ${folder.file('run/final')}`,
    );
    expect(stdout).not.toContain('\x1b');
    expect(existsSync(folder.file('run/final/adapter_model.safetensors'))).toBe(true);
  });

  test('--profile writes a trace into the run folder and reports where the time went', async () => {
    using folder = new TemporaryFolder();
    const args = [...short, '--max-steps', '3', '--profile', '--profile-steps', '2'];
    const { code, stdout, stderr } = await dpo(folder, args);
    expect(code, stderr).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Profile of step 2: [\d.]+ s$/m);
    for (const name of ['data', 'reference', 'forward', ' {2}log-probs', 'backward', 'optimiser'])
      expect(stdout).toMatch(new RegExp(`^${name} +[\\d.]+% +[\\d.]+$`, 'm'));
    const path = folder.file('run/profile.json');
    expect(stdout).toContain(`trace in ${path}`);
    const { traceEvents } = JSON.parse(readFileSync(path, 'utf8'));
    expect(traceEvents.length).toBeGreaterThan(100);
    const summary = JSON.parse(readFileSync(folder.file('run/profile-summary.json'), 'utf8'));
    expect(summary.steps).toEqual([2]);
    // A folder with a trace is still a run's folder, and --overwrite clears it.
    const again = await dpo(folder, [...short, '--max-steps', '1', '--overwrite', '--json']);
    expect(again.code, again.stderr).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test('the peak for mfu is measured once per machine', async () => {
    using folder = new TemporaryFolder();
    const args = [...short, '--max-steps', '1'];
    const measured = /\d+ GFLOP\/s .*`keel doctor --bench`/;
    expect((await dpo(folder, args)).stdout).toMatch(measured);
    expect((await dpo(folder, [...args, '--overwrite'])).stdout).not.toMatch(measured);
    const logged = MetricsLog.read(folder.file('run/metrics.jsonl'));
    expect(logged.at(-1)!.mfu).toBeGreaterThan(0);
  });

  test('flags win over the YAML file, which wins over the defaults', async () => {
    using folder = new TemporaryFolder();
    const config = folder.file('keel.yaml');
    writeFileSync(
      config,
      `model: ${tinyChat}\ndata: ${rows}\nbeta: 0.3\nmax_steps: 2\nmicro_batch_tokens: 64\n`,
    );
    const flags = [
      '--config',
      config,
      '--max-steps',
      '1',
      '--micro-batch-size',
      '2',
      '--no-shuffle',
    ];
    const { code, stderr } = await dpo(folder, flags);
    expect(code, stderr).toBe(0);
    expect(parse(readFileSync(folder.file('run/config.yaml'), 'utf8'))).toMatchObject({
      beta: 0.3,
      max_steps: 1,
      micro_batch_size: 2,
      micro_batch_tokens: null,
      shuffle: false,
      batch_size: 8,
    });
  });

  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`${name} finishes the step, writes a checkpoint, ends with ${code}, and the run resumes bit for bit`, async () => {
      using whole = new TemporaryFolder();
      using broken = new TemporaryFolder();
      // A constant rate does not depend on the number of steps, which may change from call to call.
      const constant = ['--scheduler', 'constant', '--learning-rate', '1e-3'];
      const args = [...short, ...constant, '--lora', '--save-steps', 'none', '--json'];
      const steps = (count: number) => ['--max-steps', String(count)];
      const stopped = await dpo(broken, [...args, ...steps(1_000_000)], {
        onLine: (line, child) => {
          // The checkpoint's line may name step 3 too, and a second signal ends the run at once.
          const { type, step } = JSON.parse(line);
          if (type === 'step' && step === 3) child.kill(name);
        },
      });
      expect(stopped.code, stopped.stderr).toBe(code);
      expect(stopped.stderr).toContain(`${name}: finishing this step`);
      const ending = jsonLines(stopped.stdout).at(-1)!;
      const config = broken.file('run/config.yaml');
      expect(ending).toMatchObject({
        type: 'interrupted',
        resume: `npx keel dpo --config ${config} --resume`,
      });
      const done = ending.step as number;
      expect(readdirSync(broken.file('run/checkpoints'))).toEqual([`step-${done}`]);
      expect(existsSync(broken.file('run/final'))).toBe(false);

      const goOn = ['--config', config, '--resume', '--json', ...steps(done + 3)];
      const resumed = await dpo(broken, goOn);
      expect(resumed.code, resumed.stderr).toBe(0);
      const [plan, ...events] = jsonLines(resumed.stdout);
      expect(plan).toMatchObject({ type: 'plan', steps: { done } });
      expect(events.find(({ type }) => type === 'start')).toMatchObject({ step: done });
      expect((await dpo(whole, [...args, ...steps(done + 3)])).code).toBe(0);
      const weights = 'run/final/adapter_model.safetensors';
      const same = readFileSync(broken.file(weights)).equals(readFileSync(whole.file(weights)));
      expect(same).toBe(true);
    });
  }

  test('a folder with a run is not overwritten', async () => {
    using folder = new TemporaryFolder();
    const args = [...short, '--max-steps', '1'];
    expect((await dpo(folder, args)).code).toBe(0);
    const again = await dpo(folder, args);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/^error: .*--resume .*--overwrite/m);
    expect((await dpo(folder, [...args, '--overwrite'])).code).toBe(0);
  });

  test('a bad row is named with file, line and field', async () => {
    using folder = new TemporaryFolder();
    const data = folder.file('pairs.jsonl');
    writeFileSync(
      data,
      '{"prompt":"a","chosen":"b","rejected":"c"}\n{"prompt":"a","chosen":3,"rejected":"c"}\n',
    );
    const { code, stderr } = await dpo(folder, ['--model', tinyChat, '--data', data]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${data}:2: field "chosen": expected a string`);
  });

  test('accumulation over 1x8, 2x4 and 8x1 rows gives the same gradient and weights', async () => {
    const results = [];
    for (const size of ['8', '4', '1']) {
      using folder = new TemporaryFolder();
      const step = ['--max-steps', '1', '--batch-size', '8', '--micro-batch-size', size];
      const { code, stdout, stderr } = await dpo(folder, [
        ...short,
        ...step,
        '--no-shuffle',
        '--json',
      ]);
      expect(code, stderr).toBe(0);
      const state = tensors(folder.file('run/checkpoints/step-1/trainer_state.safetensors'));
      const norm = jsonLines(stdout).find(({ type }) => type === 'step')!.grad_norm as number;
      results.push({ state, norm });
    }
    const [one, ...others] = results;
    for (const { state, norm } of others) {
      expect(Math.abs(norm / one!.norm - 1)).toBeLessThan(1e-5);
      expect([...state.keys()]).toEqual([...one!.state.keys()]);
      // After one step AdamW's first moment is a tenth of the gradient.
      for (const [name, values] of state) {
        const expected = one!.state.get(name)!;
        const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const worst = values.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - expected[i]!)),
          0,
        );
        expect(worst, name).toBeLessThanOrEqual(1e-5 * scale);
      }
    }
  });
});
