import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Calling, jsonLines, TemporaryFolder } from '../testing/command-line.ts';
import {
  interruptAndResume,
  shortRun,
  tinyChat,
  train,
  trajectoryRows,
} from '../testing/short-runs.ts';

const rows = trajectoryRows('reward-bradley-terry');

const reward = (folder: TemporaryFolder, args: readonly string[], calling?: Calling) =>
  train('reward', folder, args, calling);

const short = shortRun(rows);

describe('keel reward', () => {
  test('--json writes one object per line on stdout and nothing else', async () => {
    using folder = new TemporaryFolder();
    const { code, stdout, stderr } = await reward(folder, [
      ...short,
      ...['--eval-data', rows, '--max-steps', '2', '--lora', '--heads', '2', '--json'],
    ]);
    expect(code, stderr).toBe(0);
    const [plan, ...events] = jsonLines(stdout);
    expect(plan).toMatchObject({ type: 'plan', verb: 'reward' });
    expect(events.map(({ type }) => type)).toEqual([
      ...['data', 'start', 'evaluation', 'step', 'step'],
      ...['evaluation', 'checkpoint', 'final'],
    ]);
    const step = events.find(({ type }) => type === 'step');
    const evaluation = events.findLast(({ type }) => type === 'evaluation')!;
    for (const name of ['loss', 'accuracy', 'margin', 'min_reward', 'mean_reward', 'max_reward']) {
      expect(step![name], name).toEqual(expect.any(Number));
      expect(evaluation[`eval_${name}`], name).toEqual(expect.any(Number));
    }
    expect(evaluation.eval_calibration_error).toEqual(expect.any(Number));
    const final = folder.file('run/final');
    expect(events.at(-1)).toMatchObject({
      path: final,
      score: `npx keel score --reward ${final} --data answers.jsonl`,
    });
    expect(stderr).toContain('rewards are normalised by 32 answers of the training rows');
    expect(stderr).toMatch(/accuracy .*% .* on 16 held-out pairs; .*"the longer answer wins"/);
    const config = JSON.parse(readFileSync(`${final}/adapter_config.json`, 'utf8'));
    expect(config).toMatchObject({
      task_type: 'SEQ_CLS',
      modules_to_save: ['classifier', 'score'],
    });
    const record = JSON.parse(readFileSync(`${final}/reward.json`, 'utf8'));
    // Both its pad and its end are one token; another one pads for other tools.
    expect(record).toMatchObject({ read_at: 'last', pad_token_id: 0 });
    expect(record.normalisation.heads).toHaveLength(2);
    expect(existsSync(folder.file('run/report.html'))).toBe(true);
  });

  test('without a terminal it writes plain lines with margin and accuracy', async () => {
    using folder = new TemporaryFolder();
    const { code, stdout } = await reward(folder, [
      ...short,
      '--eval-data',
      rows,
      '--max-steps',
      '1',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^step 1\/1 {2}loss \d\.\d{4} {2}margin -?\d\.\d{3} {2}accuracy \d+%/m);
    expect(stdout).toMatch(
      /^held-out rows after step 1: {2}loss .* {2}margin .* {2}accuracy \d+% \(\d+% to \d+%\)/m,
    );
    expect(stdout).toContain('Score answers with it: npx keel score --reward ');
    // All weights were trained: the result is a whole model.
    const config = JSON.parse(readFileSync(folder.file('run/final/config.json'), 'utf8'));
    expect(config.architectures).toEqual(['LlamaForSequenceClassification']);
  });

  test('a row without a verdict is reported with its place and what to do', async () => {
    using folder = new TemporaryFolder();
    const data = folder.file('rows.jsonl');
    writeFileSync(data, '{"prompt":"a","completion":"b"}\n');
    const { code, stderr } = await reward(folder, ['--model', tinyChat, '--data', data]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${data}:1: expected an object with "chosen" and "rejected"`);
    expect(stderr).toContain('use keel sft');
  });

  test('SIGINT writes a checkpoint, and the run resumes from its config.yaml', async () => {
    const args = [...short, '--lora', '--scheduler', 'constant'];
    expect(await interruptAndResume('reward', args)).toMatchObject({
      ...{ learning_rate: 1e-4, ranking_loss: 'plackett_luce', normalise: 'mean', read_at: 'last' },
    });
  });
});
