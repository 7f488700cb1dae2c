import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Calling, jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import {
  interruptAndResume,
  shortRun,
  tinyChat,
  train,
  trajectoryRows,
} from '../testing/short-runs.ts';

const rows = trajectoryRows('sft-conversational-cosine');

const sft = (folder: TemporaryFolder, args: readonly string[], calling?: Calling) =>
  train('sft', folder, args, calling);

const short = shortRun(rows);

describe('keel sft', () => {
  test('--json writes one object per line on stdout and nothing else', async () => {
    using folder = new TemporaryFolder();
    const { code, stdout, stderr } = await sft(folder, [
      ...short,
      ...['--eval-data', rows, '--max-steps', '2', '--lora', '--neftune-alpha', '5', '--json'],
    ]);
    expect(code, stderr).toBe(0);
    const [plan, ...events] = jsonLines(stdout);
    expect(plan).toMatchObject({ type: 'plan', verb: 'sft' });
    expect(events.map(({ type }) => type)).toEqual([
      ...['data', 'start', 'answers', 'evaluation', 'step', 'step'],
      ...['answers', 'evaluation', 'checkpoint', 'final'],
    ]);
    const step = events.find(({ type }) => type === 'step');
    const evaluation = events.find(({ type }) => type === 'evaluation');
    const { eval_loss, eval_perplexity } = evaluation as Record<string, number>;
    expect(eval_perplexity).toBeCloseTo(Math.exp(eval_loss!), 6);
    for (const name of ['loss', 'perplexity', 'mean_token_accuracy', 'entropy', 'num_tokens']) {
      expect(step![name], name).toEqual(expect.any(Number));
    }
    const final = folder.file('run/final');
    expect(events.at(-1)).toMatchObject({
      path: final,
      chat: `npx keel chat --model ${tinyChat} --adapter ${final}`,
    });
    expect(existsSync(folder.file('run/report.html'))).toBe(true);
    const config = JSON.parse(readFileSync(`${final}/adapter_config.json`, 'utf8'));
    expect(config).toMatchObject({ peft_type: 'LORA', r: 16 });
  });

  test('without a terminal it writes plain lines with loss and perplexity', async () => {
    using folder = new TemporaryFolder();
    const { code, stdout } = await sft(folder, [...short, '--eval-data', rows, '--max-steps', '1']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^step 1\/1 {2}loss \d\.\d{4} {2}perplexity \d+\.\d\d {2}0s left/m);
    expect(stdout).toMatch(/^held-out rows after step 1: {2}loss \d\.\d{4} {2}perplexity /m);
    // All weights were trained: the result is a whole model.
    expect(existsSync(folder.file('run/final/model.safetensors'))).toBe(true);
  });

  test('names of TRL are answered with the names in Keel', async () => {
    using folder = new TemporaryFolder();
    const config = folder.file('keel.yaml');
    const ask = (line: string) => {
      writeFileSync(config, `model: ${tinyChat}\ndata: ${rows}\n${line}\n`);
      return sft(folder, ['--config', config, '--max-steps', '1']);
    };
    expect((await ask('neftune_noise_alpha: 5')).stderr).toMatch(
      /"neftune_noise_alpha".*\bneftune_alpha$/m,
    );
    expect((await ask('packing: true')).stderr).toMatch(/"packing": .*packed/);
    // The hint names an option that this verb does not have.
    expect((await ask('loss_type: nll')).stderr).not.toMatch(/"loss_type": use/);
    const { code, stderr } = await ask('completion_only_loss: false\nassistant_turns: last');
    expect(code, stderr).toBe(0);
    expect(parse(readFileSync(folder.file('run/config.yaml'), 'utf8'))).toMatchObject({
      completion_only_loss: false,
      assistant_only_loss: true,
      assistant_turns: 'last',
      learning_rate: 2e-5,
    });
  });

  test('SIGINT writes a checkpoint, and the run resumes', async () => {
    const config = await interruptAndResume('sft', [...short, '--lora', '--scheduler', 'constant']);
    expect(config).toMatchObject({ scheduler: 'constant', lora: true });
  });
});

test('keel schema sft describes its YAML file', async () => {
  const { code, stdout } = await keel(['schema', 'sft']);
  expect(code).toBe(0);
  const { title, properties } = JSON.parse(stdout);
  expect(title).toBe('keel sft');
  expect(properties.assistant_turns).toMatchObject({ enum: ['all', 'last'], default: 'all' });
  expect(properties.completion_only_loss).toMatchObject({ type: 'boolean', default: true });
});
