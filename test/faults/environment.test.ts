// Faults of the system: full and read-only disks, limits, closed outputs, signals, a missing cache,
// a clock that jumps. In each case the message says what to do, no stack is shown, no partial files
// are left, and the run resumes.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AlignPairsOptions, alignPairs } from '@keel/align';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { expectSameRun } from '../../packages/align/src/testing/run-files.ts';
import {
  tinyRows,
  writeRowsFile,
  writeTinyChatModel,
} from '../../packages/align/src/testing/tiny-chat-model.ts';
import { type Ended, keel } from '../../packages/cli/src/testing/command-line.ts';
import { noSmallDisks, onDisk, type Result } from './small-disk.ts';

const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keel-environment-'));
const disk = join(folder, 'disk');
const run = join(disk, 'run');
const env = { ...process.env, KEEL_CACHE: join(folder, 'cache'), NODE: process.execPath };
let flags: string[];
beforeAll(() => {
  mkdirSync(disk);
  const model = writeTinyChatModel(join(folder, 'model'));
  const data = writeRowsFile(folder, tinyRows(10));
  flags = ['--model', model, '--data', data, '--precision', 'fp32', '--batch-size', '4'];
  flags.push('--max-steps', '6', '--save-steps', '2', '--threads', '1', '--learning-rate', '1e-2');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dpo = (...more: string[]): string[] => ['dpo', ...flags, ...more];
/** The command as a line of a shell script. */
const shell = (args: readonly string[]): string =>
  [`"$NODE" ${main}`, ...args.map((arg) => `'${arg}'`)].join(' ');
const called = (script: string, more: NodeJS.ProcessEnv = {}): Result => {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
    encoding: 'utf8',
    env: { ...env, ...more },
  });
  return { code: status, stdout, stderr };
};
const stack = /^ {4}at /m;
/** Names of partial files and locks. */
const halves = /\.partial|\.replaced|\.lock/;

function expectFailure({ code, stderr }: Result | Ended, message: RegExp): void {
  expect(code, stderr).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(stack);
}

const noDisks = noSmallDisks();
describe.skipIf(noDisks !== null)(`a separate disk${noDisks ? ` (${noDisks})` : ''}`, () => {
  test('that fills up: the previous checkpoint stays, and the run resumes once there is space', () => {
    const resume = `${shell(dpo('--lora', '--output', run, '--resume'))}`;
    const found = onDisk(
      disk,
      { sizeKiB: 330 },
      `${shell(dpo('--lora', '--output', run))} >&2; echo "code $?"
       find "$DISK" -printf '%P\\n'; echo "size"
       mount -o remount,size=8m "$DISK" && ${resume} >&2; echo "code $?"
       ls "$DISK/run/final"`,
      env,
    );
    const [filled, resumed] = found.stdout.split('size\n') as [string, string];
    expect(filled, found.stderr).toMatch(/^code 1$/m);
    expect(found.stderr).toMatch(
      /disk\/run\/checkpoints\/step-\d\/[\w.]+: cannot be written: the disk is full \([\d,]+ bytes needed, [\d,]+ bytes free\)/,
    );
    expect(found.stderr).toMatch(/newest checkpoint is .*step-\d/);
    expect(found.stderr).toContain('Resume with:  npx keel dpo --config');
    expect(found.stderr).not.toMatch(stack);
    expect(filled).toMatch(/^run\/checkpoints\/step-2\/checkpoint\.json$/m);
    expect(filled).not.toMatch(halves);
    expect(resumed, found.stderr).toMatch(/^code 0$/m);
    expect(resumed).toContain('adapter_model.safetensors');
  });

  test('that is full from the start', () => {
    const script = `${shell(dpo('--lora', '--output', run))} >&2; code=$?; find "$DISK"; exit $code`;
    const found = onDisk(disk, { sizeKiB: 4 }, script, env);
    expectFailure(found, /run.*: cannot be written: the disk is full/);
    expect(found.stdout).not.toMatch(halves);
  });

  test('that is read-only', () => {
    const script = `${shell(dpo('--lora', '--output', run))} >&2`;
    const found = onDisk(disk, { readOnly: folder }, script, env);
    expectFailure(found, /run: cannot be written: .*read-only/);
  });
});

test.skipIf(process.platform === 'win32')('a limit on the size of files', () => {
  const output = join(folder, 'limited');
  const found = called(`ulimit -f 16; ${shell(dpo('--lora', '--output', output))}`);
  expectFailure(found, /step-2\/.*the largest size that this process .*bytes needed.*ulimit -f/);
  const names = readdirSync(output, { recursive: true, encoding: 'utf8' });
  expect(names.filter((name) => halves.test(name))).toEqual([]);
});

test.skipIf(process.getuid?.() === 0)(
  'a folder without permission (root may write anywhere)',
  async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o500 });
    const found = await keel(dpo('--output', join(closed, 'run')), { env });
    expectFailure(found, /run: cannot be written: permission denied\. Change the permissions/);
  },
);

describe.skipIf(!existsSync('/dev/full'))('stdout', () => {
  test.each([
    ['whose reader exits', '| head -n 1 >/dev/null', 141, 'stdout: '],
    ['on a full disk', '> /dev/full', 1, 'the disk is full'],
  ])('%s finishes the current step and saves it', (name, to, code, why) => {
    const output = join(folder, name);
    const line = shell(dpo('--lora', '--json', '--output', output, '--max-steps', '400'));
    // The status of the command before the pipe, without bash.
    const found = called(`{ { ${line}; echo $? >&3; } ${to}; } 3>&1`);
    expect(found.stdout.trim(), found.stderr).toBe(String(code));
    expect(found.stderr).toContain(why);
    expect(found.stderr).toContain('Resume with:  npx keel dpo --config');
    expect(found.stderr).not.toMatch(stack);
    expect(readdirSync(join(output, 'checkpoints'))).toHaveLength(1);
  });

  test.each([
    ['tokens', '| true', 141, ''],
    ['tokens', '> /dev/full', 1, 'error: stdout: cannot be written: the disk is full\n'],
  ])('of keel %s %s', (verb, to, code, said) => {
    const [, model, , data] = flags as [string, string, string, string];
    const line = shell([verb, '--model', model, '--data', data]);
    const found = called(`{ { ${line}; echo $? >&3; } ${to}; } 3>&1`);
    expect([found.stdout.trim(), found.stderr]).toEqual([String(code), said]);
  });
});

test('SIGHUP finishes the current step and saves it, like SIGTERM', async () => {
  const output = join(folder, 'hung-up');
  let sent = false;
  const found = await keel(dpo('--lora', '--json', '--output', output, '--max-steps', '4000'), {
    env,
    onLine: (line, child) => {
      if (sent || !line.includes('"step"')) return;
      sent = true;
      child.kill('SIGHUP');
    },
  });
  expect(found.code, found.stderr).toBe(129);
  expect(found.stderr).toContain('SIGHUP: finishing this step and saving a checkpoint');
  expect(readdirSync(join(output, 'checkpoints')).at(-1)).toMatch(/^step-\d+$/);
});

test('a cache that cannot be created is reported once, and is not required', async () => {
  const file = join(folder, 'no-folder');
  writeFileSync(file, '');
  const output = join(folder, 'uncached');
  const found = await keel(dpo('--no-lora', '--output', output), {
    env: { ...env, KEEL_CACHE: join(file, 'cache') },
  });
  expect(found.code, found.stderr).toBe(0);
  expect(found.stdout.match(/The cache is not used for reference log-probabilities/g)).toHaveLength(
    1,
  );
});

test('a row of 10 MB does not fill the terminal', async () => {
  const data = join(folder, 'long.jsonl');
  const long = 'x'.repeat(1e7);
  writeFileSync(
    data,
    `${JSON.stringify({ prompt: 'a', chosen: { [long]: long }, rejected: 'b' })}\n`,
  );
  const found = await keel([...dpo('--output', join(folder, 'long')), '--data', data], { env });
  expectFailure(found, /long\.jsonl:1: field "chosen"/);
  expect(found.stderr.length).toBeLessThan(2000);
});

test('a clock that jumps, even backwards, does not change the result', async () => {
  const [, model, , data] = flags as [string, string, string, string];
  const options: Omit<AlignPairsOptions, 'output'> = {
    ...{ model, data: [data], precision: 'fp32', batchSize: 4, maxSteps: 4, saveSteps: 2 },
    ...{ lora: true, threads: 1, templateDate: '2026-01-02T03:04:05' },
  };
  const still = join(folder, 'still');
  await alignPairs({ ...options, output: still });
  const jumping = join(folder, 'jumping');
  const now = Date.now();
  let calls = 0;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
    calls += 1;
    return now + (calls % 2 === 0 ? 1 : -1) * calls * 86_400_000;
  });
  try {
    const stop = new AbortController();
    const stopped = await alignPairs(
      { ...options, output: jumping },
      {
        onEvent: (event) => event.type === 'step' && event.step === 3 && stop.abort(),
        signal: stop.signal,
      },
    );
    expect(stopped).toMatchObject({ step: 3, interrupted: true });
    await alignPairs({ ...options, output: jumping, resume: true });
  } finally {
    clock.mockRestore();
  }
  expect(calls).toBeGreaterThan(0);
  expectSameRun(jumping, still);
});
