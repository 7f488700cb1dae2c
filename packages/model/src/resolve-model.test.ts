import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { resolveModel } from './resolve-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-resolve-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('says what a model may be where there is none', async () => {
  await expect(resolveModel(join(folder, 'absent'))).rejects.toThrow(
    /no model at .*absent: give a folder/,
  );
});

it('tells an adapter and an empty folder from a model', async () => {
  await expect(resolveModel(folder)).rejects.toThrow(/holds neither model\.safetensors/);
  writeFileSync(join(folder, 'adapter_config.json'), '{}');
  await expect(resolveModel(folder)).rejects.toThrow(/holds an adapter, not a model: .* --adapter/);
});

it('takes a folder with weights and a file as they are', async () => {
  writeFileSync(join(folder, 'model.safetensors'), '');
  await expect(resolveModel(folder)).resolves.toBe(folder);
  const file = join(folder, 'model.safetensors');
  await expect(resolveModel(file)).resolves.toBe(file);
});
