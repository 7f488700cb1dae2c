// The real model, whose GGUF file stays in its blocks.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keel } from '../testing/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-base-'));
const rows = join(folder, 'rows.jsonl');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  const row = { prompt: 'Which animals fly?', chosen: ' Birds and bats.', rejected: ' Fish fly.' };
  writeFileSync(rows, `${JSON.stringify(row)}\n`.repeat(2));
});

const train = (output: string, ...more: string[]) =>
  keel([
    ...['dpo', '--data', rows, '--output', join(folder, output), '--lora', 'true'],
    ...['--max-steps', '1', '--batch-size', '1', '--sample-prompts', 'none', ...more],
  ]);
const adapter = (output: string): Buffer =>
  readFileSync(join(folder, output, 'final', 'adapter_model.safetensors'));

it('trains the same adapter on a GGUF file that is kept, and exports it', async () => {
  const kept = await train('kept', '--precision', 'fp32', '--base-precision', 'kept');
  expect(kept.stderr).toBe('');
  expect(kept.stdout).toMatch(/GGUF Q4_1, kept/);
  await train('expanded', '--precision', 'fp32');
  expect(adapter('kept').equals(adapter('expanded'))).toBe(true);
  const again = await train('kept', '--precision', 'fp32', '--resume');
  expect(again.code).not.toBe(0);
  expect(again.stderr).toMatch(/base_precision/);
});

it('says what is held in NF4, and refuses weights that are trained', async () => {
  const planned = await train('nf4', '--base-precision', 'nf4', '--dry-run');
  expect(planned.stdout).toMatch(/linear layers held in NF4/);
  const full = await train('full', '--base-precision', 'kept', '--lora', 'false');
  expect(full.code).not.toBe(0);
  expect(full.stderr).toMatch(/--base-precision kept: .*--lora true/);
});
