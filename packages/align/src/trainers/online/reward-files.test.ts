import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { rewardFiles } from './reward-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-reward-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('are a module, a spec, or what lies in a folder; a rule has none', async () => {
  const module = join(folder, 'a.ts');
  writeFileSync(module, 'one');
  const before = await rewardFiles(module);
  expect(before).toEqual([{ name: module, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  expect(await rewardFiles(`${module}#name`)).toEqual(before);
  writeFileSync(module, 'two');
  expect(await rewardFiles(module)).not.toEqual(before);
  mkdirSync(join(folder, 'inner'));
  writeFileSync(join(folder, 'b.json'), '{}');
  expect((await rewardFiles(folder)).map(({ name }) => name)).toEqual([
    module,
    join(folder, 'b.json'),
  ]);
  expect(await rewardFiles('regex:/a#b/')).toEqual([]);
  expect(await rewardFiles('length:-20')).toEqual([]);
});

it('of a spec are those that it names too', async () => {
  const spec = join(folder, 'spec.yaml');
  writeFileSync(
    spec,
    'rewards:\n  - {type: function, module: a.ts#name}\n  - {type: length, max: 3}\n  - {type: model, path: inner}\n',
  );
  writeFileSync(join(folder, 'inner', 'head.json'), '1');
  const before = await rewardFiles(spec);
  expect(before.map(({ name }) => name)).toEqual([
    ...[spec, join(folder, 'a.ts'), join(folder, 'inner', 'head.json')],
  ]);
  writeFileSync(join(folder, 'a.ts'), 'three');
  expect((await rewardFiles(spec))[1]).not.toEqual(before[1]);
});
