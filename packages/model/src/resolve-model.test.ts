import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { isDefaultModel, resolveModel } from './resolve-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-resolve-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('says what a model may be if there is none', async () => {
  await expect(resolveModel(join(folder, 'absent'))).rejects.toThrow(
    /no model at .*absent.*SmolLM2-135M-Instruct/,
  );
});

it('distinguishes an adapter and an empty folder from a model', async () => {
  await expect(resolveModel(folder)).rejects.toThrow(/neither model\.safetensors/);
  writeFileSync(join(folder, 'adapter_config.json'), '{}');
  await expect(resolveModel(folder)).rejects.toThrow(/an adapter, not a model.*--model.*--adapter/);
});

it('accepts a folder with weights, and not the weights alone', async () => {
  const file = join(folder, 'model.safetensors');
  writeFileSync(file, '');
  await expect(resolveModel(folder)).rejects.toThrow(
    /model\.safetensors.*adapter_config\.json.*--adapter/,
  );
  rmSync(join(folder, 'adapter_config.json'));
  await expect(resolveModel(folder)).resolves.toBe(folder);
  await expect(resolveModel(file)).rejects.toThrow(
    /model\.safetensors.*config\.json and tokenizer\.json/,
  );
});

it('treats a file of any other name as a GGUF file', async () => {
  const file = join(folder, 'blob');
  writeFileSync(file, '');
  await expect(resolveModel(file)).resolves.toBe(file);
});

it('recognises the default model by its name, ignoring case', () => {
  expect(['SmolLM2-135M-Instruct', 'smollm2-135m-instruct'].every(isDefaultModel)).toBe(true);
  expect(['SmolLM2-135M', './smollm2-135m-instruct'].some(isDefaultModel)).toBe(false);
});

it('passes its options to the hub', async () => {
  await expect(
    resolveModel('hub:owner/model@v2', { cacheDir: join(folder, 'cache'), offline: true }),
  ).rejects.toThrow(/^hub:owner\/model@v2 .*HF_HUB_OFFLINE/);
});
