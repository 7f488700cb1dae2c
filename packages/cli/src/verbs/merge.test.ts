// Results of runs as other commands, and PEFT, load them.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { shortRun, tinyChat, train, trajectoryRows } from '../testing/short-runs.ts';

const rows = trajectoryRows('dpo-sigmoid');
const folder = new TemporaryFolder();
const lm = folder.file('run');
const reward = folder.file('reward');
const greedy = ['--precision', 'fp32', '--max-new-tokens', '8', '--prompt', 'Why blue?', '--json'];

beforeAll(async () => {
  const run = [...shortRun(rows), '--lora', '--max-steps', '2', '--eval-data', rows];
  const rate = ['--learning-rate', '1e-2'];
  const trained = await train('dpo', folder, [...run, ...rate]);
  expect(trained.code, trained.stderr).toBe(0);
  const judged = await keel(['reward', ...run, '--output', reward]);
  expect(judged.code, judged.stderr).toBe(0);
});
afterAll(() => folder[Symbol.dispose]());

const answer = async (...args: string[]) => {
  const { code, stdout, stderr } = await keel(['generate', ...greedy, ...args]);
  expect(code, stderr).toBe(0);
  return jsonLines(stdout)[0]!.completion;
};

describe("a run's result", () => {
  test('is found by the name of its folder, and brings its base', async () => {
    const explicit = ['--model', tinyChat, '--adapter', `${lm}/final`];
    expect(await answer('--adapter', lm)).toBe(await answer(...explicit));
    expect(await answer('--adapter', lm)).not.toBe(await answer('--model', tinyChat));
  });

  test('has a tokenizer, a generation config and a model card with metrics', () => {
    for (const name of ['tokenizer.json', 'generation_config.json', 'keel.json']) {
      expect(() => JSON.parse(readFileSync(`${lm}/final/${name}`, 'utf8')), name).not.toThrow();
    }
    const card = readFileSync(`${lm}/final/README.md`, 'utf8');
    for (const part of ['library_name: peft', 'Held-out', '2305.18290', 'train.jsonl', tinyChat]) {
      expect(card).toContain(part);
    }
    expect(card).not.toContain(folder.path);
  });

  test('of an unfinished run is refused with the command that finishes it', async () => {
    const unfinished = folder.file('unfinished');
    mkdirSync(unfinished);
    for (const name of ['config.yaml', 'checkpoints']) {
      cpSync(`${lm}/${name}`, `${unfinished}/${name}`, { recursive: true });
    }
    const { code, stderr } = await keel(['chat', '--adapter', unfinished]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--adapter: .*dpo --config .*--resume.*step-2/);
  });

  test.each([
    ['a reward adapter as a model', ['generate', '--model', reward, '--prompt', 'x'], '--reward'],
    ['a reward adapter as an adapter', ['chat', '--adapter', reward], '--reward'],
    ['an adapter as a model', ['chat', '--model', lm], '--adapter'],
    ['a model as an adapter', ['chat', '--adapter', tinyChat], '--model'],
    ['an adapter as a reward', ['score', '--reward', lm, '--data', rows], '--adapter'],
    ['a model as a reward', ['score', '--reward', tinyChat, '--data', rows], 'judge:'],
  ])('given as something else gets the right advice: %s', async (_, args, advice) => {
    const { code, stdout, stderr } = await keel(args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(advice);
  });
});

describe('keel merge', () => {
  test('writes a model that answers as base and adapter do', async () => {
    const output = folder.file('merged');
    const merged = await keel(['merge', '--adapter', lm, '--output', output, '--json']);
    expect(merged.code, merged.stderr).toBe(0);
    expect(jsonLines(merged.stdout)).toMatchObject([{ type: 'final', output, dtype: 'fp32' }]);
    expect(jsonLines(merged.stdout)[0]!.kl).toBeLessThan(1e-5);
    expect(await answer('--model', output)).toBe(await answer('--adapter', lm));
    const again = await keel(['merge', '--adapter', lm, '--output', output]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('--overwrite');
  });

  test('--average writes one adapter, and needs two or more', async () => {
    const output = folder.file('average');
    const args = ['merge', '--average', '--adapter', reward, reward, '--output', output, '--json'];
    const { code, stderr, stdout } = await keel(args);
    expect(code, stderr).toBe(0);
    expect(jsonLines(stdout)).toEqual([
      { type: 'final', output, members: 2, kind: 'reward model' },
    ]);
    expect(existsSync(`${output}/reward.json`)).toBe(true);
    const alone = await keel(['merge', '--average', '--adapter', reward, '--output', 'x']);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('two or more')]);
  });

  test('takes one adapter', async () => {
    const args = ['merge', '--adapter', lm, '--adapter', reward, '--output', folder.file('two')];
    const { code, stderr } = await keel(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--adapter: .*2/);
  });
});

const python = process.env.KEEL_TRANSFORMERS_PYTHON;
const script = `
import json, sys, torch
from peft import AutoPeftModelForCausalLM, AutoPeftModelForSequenceClassification
from transformers import AutoTokenizer
adapter, reward = sys.argv[1:]
model = AutoPeftModelForCausalLM.from_pretrained(adapter, dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(adapter)
text = tokenizer.apply_chat_template([{'role': 'user', 'content': 'Why blue?'}],
    add_generation_prompt=True, tokenize=False)
ids = tokenizer(text, return_tensors='pt', add_special_tokens=False).input_ids
out = model.generate(input_ids=ids, max_new_tokens=8, do_sample=False)
answer = tokenizer.decode(out[0][ids.shape[1]:], skip_special_tokens=True)
judge = AutoPeftModelForSequenceClassification.from_pretrained(reward, num_labels=1)
print(json.dumps({'answer': answer, 'labels': judge.config.num_labels}))
`;

test.skipIf(!python)('PEFT loads final/ as it stands, and answers the same', async () => {
  const args = ['-c', script, `${lm}/final`, `${reward}/final`];
  const env = { ...process.env, HF_HUB_OFFLINE: '1' };
  const stdout = execFileSync(python!, args, { encoding: 'utf8', env });
  const found = JSON.parse(stdout.trim().split('\n').at(-1)!);
  expect(found).toEqual({ answer: await answer('--adapter', lm), labels: 1 });
});
