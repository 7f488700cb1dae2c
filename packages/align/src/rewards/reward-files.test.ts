import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { rewardFiles } from './reward-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-reward-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inside = (name: string): string => join(folder, name);
const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/);

/** A safetensors file without tensors, with a text in its metadata. */
function tensorless(text: string): Buffer {
  const header = JSON.stringify({ __metadata__: { text } });
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, Buffer.from(header)]);
}

it('are a module; there are none for a rule', async () => {
  const module = inside('a.ts');
  writeFileSync(module, 'one');
  const before = await rewardFiles(module);
  expect(before).toEqual([{ name: module, sha256 }]);
  expect(await rewardFiles(`${module}#name`)).toEqual(before);
  writeFileSync(module, 'two');
  expect(await rewardFiles(module)).not.toEqual(before);
  expect(await rewardFiles('regex:/a#b/')).toEqual([]);
  expect(await rewardFiles('length:-20')).toEqual([]);
});

it('are a spec and what it names: modules, reward models, bases of adapters, judges', async () => {
  writeFileSync(inside('f.ts'), 'one');
  for (const [name, file] of [
    ['base', 'model.safetensors'],
    ['whole', 'model.safetensors'],
    ['adapter', 'adapter_model.safetensors'],
  ] as const) {
    mkdirSync(inside(name));
    writeFileSync(join(inside(name), file), tensorless(name));
  }
  const config = JSON.stringify({ base_model_name_or_path: inside('base') });
  writeFileSync(join(inside('adapter'), 'adapter_config.json'), config);
  const spec = inside('spec.yaml');
  writeFileSync(
    spec,
    `rewards:
  - {type: function, module: f.ts}
  - {type: model, name: whole, path: whole}
  - {type: model, path: adapter}
  - {type: judge, model: base}
  - {type: length, max: 20}
`,
  );
  const files = await rewardFiles(spec);
  expect(files.map(({ name }) => name)).toEqual([
    ...[spec, 'f.ts', inside('whole'), inside('adapter'), inside('base'), inside('base')],
  ]);
  for (const [name, at] of [
    ['f.ts', 1],
    ['whole/model.safetensors', 2],
    ['adapter/adapter_model.safetensors', 3],
    ['base/model.safetensors', 4],
  ] as const) {
    writeFileSync(inside(name), tensorless('changed'));
    const now = await rewardFiles(spec);
    expect(now[at]!.sha256).not.toBe(files[at]!.sha256);
  }
  expect(await rewardFiles(`judge:${inside('base')}`)).toEqual([{ name: inside('base'), sha256 }]);
});
