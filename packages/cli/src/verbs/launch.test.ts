import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { expect, it } from 'vitest';
import { type Calling, jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { shortRun, tinyChat, trajectoryRows } from '../testing/short-runs.ts';

const pairs = trajectoryRows('dpo-sigmoid');
const quick = ['--lora', '--max-steps', '3', '--sample-prompts', 'none', '--json'];
const launch = (processes: number, ...command: string[]): string[] => [
  ...['launch', '--processes', `${processes}`, '--threads', '1', ...command],
];

/** Numbers of a run's steps, without those that depend on the clock. */
const stepsIn = (text: string): unknown[] =>
  jsonLines(text)
    .filter(({ type }) => type === 'step')
    .map(({ step, loss, grad_norm }) => [
      ...[step, (loss as number).toFixed(5), (grad_norm as number).toFixed(4)],
    ]);

/** Sends a signal once, after the first step. */
function afterStep(signal: NodeJS.Signals): Calling['onLine'] {
  let sent = false;
  return (line, child) => {
    if (sent || !line.includes('"type":"step"')) return;
    sent = true;
    child.kill(signal);
  };
}

it('trains in several processes, with one display and one run folder', async () => {
  using folder = new TemporaryFolder();
  const run = (name: string) => [
    'dpo',
    ...shortRun(pairs),
    ...quick,
    '--output',
    folder.file(name),
  ];
  const one = await keel(run('one'));
  const two = await keel(launch(2, ...run('two')));
  expect(two.code, two.stderr).toBe(0);
  expect(two.stderr).not.toMatch(/rank/);
  expect(stepsIn(two.stdout)).toEqual(stepsIn(one.stdout));
  expect(stepsIn(two.stdout)).toHaveLength(3);
  const plan = jsonLines(two.stdout).find(({ type }) => type === 'plan')!;
  expect(JSON.stringify(plan)).toContain('"processes":2');
  expect(existsSync(folder.file('two/report.html'))).toBe(true);
});

it('stops at a signal with a checkpoint, and resumes', async () => {
  using folder = new TemporaryFolder();
  const run = [
    'dpo',
    ...shortRun(pairs),
    ...quick,
    '--max-steps',
    '30',
    '--output',
    folder.file('run'),
  ];
  const stopped = await keel(launch(2, ...run), {
    onLine: afterStep('SIGINT'),
  });
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stdout).toMatch(/keel launch --processes 2 dpo --config \S+ --resume/);
  const [saved] = readdirSync(folder.file('run/checkpoints'));
  const step = Number(saved!.replace('step-', ''));
  expect(step).toBeLessThan(30);
  const resumed = await keel(launch(2, ...run, '--max-steps', `${step + 1}`, '--resume'));
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(stepsIn(resumed.stdout).map((one) => (one as unknown[])[0])).toEqual([step + 1]);
});

it('says an error once, and ends with its exit code', async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.file('bad.jsonl'), '{"prompt": "a", "chosen": 1, "rejected": "c"}\n');
  const run = ['dpo', ...shortRun(folder.file('bad.jsonl')), '--output', folder.file('run')];
  const { code, stderr } = await keel(launch(2, ...run));
  expect(code).toBe(1);
  expect(stderr.match(/error: .*bad\.jsonl/g)).toHaveLength(1);
});

it('runs the stages of a recipe, and the entries of a comparison', async () => {
  using folder = new TemporaryFolder();
  const recipe = (output: string): string => `output: ${folder.file(output)}
defaults: { model: ${tinyChat}, precision: fp32, batch_size: 4, learning_rate: 1e-3, lora: true }
stages:
  sft: { data: ${goldenPath('trajectories/sft-completion-only')}/train.jsonl, max_steps: 2 }
  policy: { verb: dpo, model: '\${stages.sft}', data: ${pairs}, max_steps: 2 }
`;
  for (const [name, before] of [
    ['one', []],
    ['two', launch(2)],
  ] as const) {
    writeFileSync(folder.file(`${name}.yaml`), recipe(name));
    const done = await keel([...before, 'align', folder.file(`${name}.yaml`), '--json']);
    expect(done.code, done.stderr).toBe(0);
  }
  const lossesOf = (run: string): unknown[] =>
    jsonLines(readFileSync(folder.file(`${run}/policy/metrics.jsonl`), 'utf8')).flatMap(
      ({ loss }) => (typeof loss === 'number' ? [loss.toFixed(5)] : []),
    );
  expect(lossesOf('two')).toEqual(lossesOf('one'));
  expect(lossesOf('two')).toHaveLength(2);
  const compare = [
    ...['compare', '--model', tinyChat, '--data', pairs, '--eval-data', pairs, '--lora', '--json'],
    ...[
      '--objectives',
      'sigmoid',
      'ipo',
      '--max-steps',
      '2',
      '--batch-size',
      '4',
      '--eval-prompts',
      '2',
    ],
    ...['--max-new-tokens', '4', '--precision', 'fp32', '--output', folder.file('compared')],
  ];
  const compared = await keel(launch(2, ...compare));
  expect(compared.code, compared.stderr).toBe(0);
  expect(existsSync(folder.file('compared/report.html'))).toBe(true);
});

it('refuses verbs that run in one process, and half of a launcher', async () => {
  const { code, stderr } = await keel(['tokens', '--text', 'a'], {
    env: { RANK: '0', WORLD_SIZE: '2', MASTER_ADDR: '127.0.0.1' },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/keel tokens runs in one process/);
  const half = await keel(['dpo', '--data', pairs, '--output', 'unused'], {
    env: { RANK: '0', WORLD_SIZE: '2' },
  });
  expect(half.code).toBe(1);
  expect(half.stderr).toMatch(/MASTER_ADDR/);
});

it("at Slurm's SIGUSR1 saves the run and has the job requeued", async () => {
  using folder = new TemporaryFolder();
  const said = folder.file('scontrol.txt');
  writeFileSync(folder.file('scontrol'), `#!/bin/sh\necho "$@" >> ${said}\n`, { mode: 0o755 });
  const run = [
    'dpo',
    ...shortRun(pairs),
    ...quick,
    '--max-steps',
    '30',
    '--output',
    folder.file('run'),
  ];
  const env = { SLURM_JOB_ID: '77', PATH: `${folder.file('.')}:${process.env.PATH}` };
  const stopped = await keel(launch(2, ...run), {
    env,
    onLine: afterStep('SIGUSR1'),
  });
  expect(stopped.code, stopped.stderr).toBe(138);
  expect(readdirSync(folder.file('run/checkpoints'))).toHaveLength(1);
  expect(readFileSync(said, 'utf8')).toBe('requeue 77\n');
});
