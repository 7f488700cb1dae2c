import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goldenPath } from '@keel/torch/testing';
import { expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const packages = fileURLToPath(new URL('../../../', import.meta.url));

/** The packages without anything compiled, as they are in a fresh clone after npm ci. */
function freshClone(folder: TemporaryFolder): string {
  for (const name of ['statistics', 'torch', 'model', 'align', 'evaluate', 'cli']) {
    const into = folder.file(join('packages', name));
    mkdirSync(into, { recursive: true });
    cpSync(join(packages, name, 'src'), join(into, 'src'), { recursive: true });
    cpSync(join(packages, name, 'package.json'), join(into, 'package.json'));
  }
  const modules = join(packages, '..', 'node_modules');
  mkdirSync(folder.file('node_modules/@keel'), { recursive: true });
  for (const name of readdirSync(modules)) {
    if (name !== '@keel') symlinkSync(join(modules, name), folder.file(`node_modules/${name}`));
  }
  for (const name of ['statistics', 'torch', 'model', 'align', 'evaluate']) {
    symlinkSync(folder.file(`packages/${name}`), folder.file(`node_modules/@keel/${name}`));
  }
  return folder.file('packages/cli/src/main.ts');
}

test('reports what was found, for people and as JSON', async () => {
  const machine = await keel(['doctor', '--json']);
  const [facts, ...more] = jsonLines(machine.stdout);
  expect(more).toEqual([]);
  expect(facts).toMatchObject({
    ok: true,
    node: process.version,
    engine: { problem: null, loaded: { version: expect.stringMatching(/^2\.\d+/) } },
    hardware: { usableCores: expect.any(Number) },
  });
  expect(machine.code).toBe(0);
  const people = await keel(['doctor']);
  expect(people.code).toBe(0);
  for (const name of ['LibTorch', 'Addon', 'Processor', 'Threads', 'Memory', 'Default model']) {
    expect(people.stdout).toMatch(new RegExp(`^${name} +\\S`, 'm'));
  }
});

test('without the addon it says what is missing and how to install it', async () => {
  using folder = new TemporaryFolder();
  const program = freshClone(folder);
  const { code, stdout, stderr } = await keel(['doctor'], { program });
  expect(code).toBe(1);
  expect(stderr).toBe('');
  expect(stdout).toMatch(
    /^missing +LibTorch does not run: the addon is not compiled\n.*npx keel setup/m,
  );
});

test('the help of a fresh clone needs nothing compiled', async () => {
  using folder = new TemporaryFolder();
  const program = freshClone(folder);
  expect(await keel(['--help'], { program })).toMatchObject({ code: 0, stderr: '' });
  expect(await keel(['dpo', '--help'], { program })).toMatchObject({ code: 0, stderr: '' });
  const model = goldenPath('tiny-chat');
  const failed = await keel(['generate', '--model', model, '--prompt', 'x'], { program });
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('npx keel setup');
});

test('an addon that does not load is reported', async () => {
  using folder = new TemporaryFolder();
  const program = freshClone(folder);
  const build = folder.file('packages/torch/build');
  mkdirSync(build);
  const torch = { root: folder.path, version: '2.13.0', cuda: null, source: 'cache' };
  writeFileSync(join(build, 'keel_torch.node'), 'no library');
  writeFileSync(join(build, 'current.json'), JSON.stringify({ addon: 'keel_torch.node', torch }));
  const { code, stdout } = await keel(['doctor', '--json'], { program });
  expect(code).toBe(1);
  const [facts] = jsonLines(stdout);
  expect(facts).toMatchObject({ ok: false, engine: { loaded: null } });
  expect((facts!.engine as { problem: string }).problem).toContain('keel_torch.node');
});

test('a variable with a wrong path of LibTorch is reported', async () => {
  const { code, stdout } = await keel(['doctor'], { env: { KEEL_LIBTORCH: '/nowhere' } });
  expect(code).toBe(1);
  expect(stdout).toContain('KEEL_LIBTORCH is /nowhere');
});

test('a variable that limits threads is reported', async () => {
  const { stdout } = await keel(['doctor', '--json'], { env: { OMP_NUM_THREADS: '1' } });
  const [facts] = jsonLines(stdout);
  expect(facts).toMatchObject({
    variables: { OMP_NUM_THREADS: '1' },
    engine: { loaded: { threads: 1 } },
  });
});

test('a damaged default model is found', async () => {
  using cache = new TemporaryFolder();
  mkdirSync(cache.file('models'));
  writeFileSync(cache.file('models/SmolLM2-135M-Instruct.Q4_1.gguf'), 'half a model');
  const { code, stdout } = await keel(['doctor'], { env: { KEEL_CACHE: cache.path } });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^missing +the default model is damaged/m);
});

test('--bench measures matmul and memory, and caches the peaks', async () => {
  using cache = new TemporaryFolder();
  const env = { KEEL_CACHE: cache.path };
  const machine = await keel(['doctor', '--bench', '--json'], { env });
  const [facts, ...more] = jsonLines(machine.stdout);
  expect(more).toEqual([]);
  expect(machine.stderr).toMatch(/^measuring 1\/3: .*bf16, 1 thread$/m);
  const { matmul, memory } = facts!.bench as {
    matmul: { precision: string; threads: number; flops: number }[];
    memory: { read: number; copy: number }[];
  };
  expect(matmul.map(({ precision, threads }) => [precision, threads])).toEqual([
    ['bf16', 1],
    ['fp32', 1],
  ]);
  for (const { flops } of matmul) expect(flops).toBeGreaterThan(1e6);
  expect(memory).toHaveLength(1);
  expect(Math.min(memory[0]!.read, memory[0]!.copy)).toBeGreaterThan(1e6);
  const kept = readdirSync(cache.file('machine')).map(
    (name) => JSON.parse(readFileSync(cache.file(`machine/${name}`), 'utf8')).peak.flops,
  );
  expect(kept.sort()).toEqual(matmul.map(({ flops }) => flops).sort());
});

test('--bench for people', async () => {
  using cache = new TemporaryFolder();
  const { code, stdout } = await keel(['doctor', '--bench'], { env: { KEEL_CACHE: cache.path } });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Matmul +\d+ GFLOP\/s +bf16, 1 thread, at \d+ x \d+$/m);
  expect(stdout).toMatch(/^Bandwidth +[\d.]+ GB\/s +read, [\d.]+ GB\/s copy/m);
});
