// `scripts/device-check` on the CPU: its parts run, and what fails is in the JSON file.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { torchBuild } from '@keel/torch';
import { afterAll, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../scripts/device-check', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keel-device-check-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(name: string, ...flags: string[]) {
  const output = join(folder, name);
  const { status, stderr } = spawnSync(program, ['--output', output, ...flags], {
    encoding: 'utf8',
  });
  const report = existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')) : null;
  return { status, stderr, parts: report?.parts };
}

it('measures, and compares the device with the CPU', () => {
  const small = ['--device', 'cpu', '--size', 'small', '--parts', 'golden,sft'];
  const { status, stderr, parts } = check('cpu.json', ...small);
  expect(stderr).toContain('golden: passed');
  expect(parts.golden.found.largestDifferences).toMatchObject({ llama: 0, gemma3: 0 });
  expect(parts.sft).toMatchObject({ status: 'passed' });
  expect(parts.sft.found.tokensPerSecond).toBeGreaterThan(0);
  expect(parts.sft.found.mfu).toBeGreaterThan(0);
  expect(status).toBe(0);
});

it.skipIf(torchBuild().cudaDevices > 0)('says what failed, and goes on', () => {
  const { status, parts } = check('cuda.json', '--parts', 'golden,memory');
  expect(parts.golden).toMatchObject({ status: 'failed', output: expect.stringMatching(/cuda/i) });
  expect(parts.memory).toMatchObject({ status: 'failed', output: expect.stringMatching(/cuda/i) });
  expect(status).toBe(1);
});

it('names the parts where one is not known', () => {
  const { status, stderr, parts } = check('none.json', '--parts', 'golden,sped');
  expect(stderr).toMatch(/no part sped.*build, golden, steps/s);
  expect([status, parts]).toEqual([2, undefined]);
});
