import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { shortRun, tinyChat, train, trajectoryRows } from '../testing/short-runs.ts';

const rows = trajectoryRows('dpo-sigmoid');
const folder = new TemporaryFolder();
const run = folder.file('run');

beforeAll(async () => {
  const trained = await train('dpo', folder, [...shortRun(rows), '--lora', '--max-steps', '1']);
  expect(trained.code, trained.stderr).toBe(0);
});
afterAll(() => folder[Symbol.dispose]());

const exported = (...args: string[]) =>
  keel(['export', '--adapter', run, '--output', folder.file('out'), ...args]);

describe('keel export', () => {
  test('writes a GGUF file that answers as base and adapter do', async () => {
    const { code, stdout, stderr } = await exported('--to', 'gguf', '--type', 'f32');
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('the same token ids for 100 of 100 texts');
    expect(stdout).toContain('Checked: the same 64 greedy tokens');
    const file = folder.file('out/out-f32.gguf');
    expect(stdout).toContain(`Wrote ${file}`);
    const ask = ['generate', '--precision', 'fp32', '--max-new-tokens', '8', '--json'];
    const answer = async (...model: string[]) =>
      jsonLines((await keel([...ask, '--prompt', 'Why blue?', ...model])).stdout)[0]!.completion;
    expect(await answer('--model', file)).toBe(await answer('--adapter', run));
  });

  test('replaces an export only when told to, and reports numbers as JSON', async () => {
    const refused = await exported('--to', 'gguf');
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('--overwrite');
    const { code, stdout, stderr } = await exported(
      ...['--to', 'gguf', '--type', 'q4_k_m', '--overwrite', '--json'],
    );
    expect(code, stderr).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([
      { type: 'final', dtype: 'q4_k_m', same_texts: 100, texts: 100, greedy: 64, modelfile: true },
    ]);
    expect(readdirSync(folder.file('out'))).not.toContain('out-f32.gguf');
  });

  test.each([
    ['a type that Keel does not write', ['--to', 'gguf', '--type', 'iq4_xs'], /iq4_xs.*q4_k_m/s],
    ['a quantised type elsewhere', ['--to', 'peft', '--type', 'q8_0'], /q8_0.*f32/],
    ['an unknown form', ['--to', 'onnx'], /onnx.*safetensors/s],
    ['a file as its folder', ['--to', 'gguf', '--output', 'a.gguf'], /--output.*folder/],
  ])('refuses %s', async (_, args, message) => {
    const { code, stdout, stderr } = await exported(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  test('needs an adapter for the forms of an adapter', async () => {
    const args = ['export', '--model', tinyChat, '--to', 'peft', '--output', folder.file('none')];
    const { code, stderr } = await keel(args);
    expect(code).toBe(2);
    expect(stderr).toContain('--adapter');
    expect(existsSync(folder.file('none'))).toBe(false);
  });
});
