import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isolations, unsafe } from './find-isolation.ts';
import { findPython } from './interpreter.ts';
import { probe } from './probe.ts';
import { type AttackOutcome, runAttacks } from './run-attacks.ts';
import { Sandbox } from './sandbox.ts';

const python = await findPython('python3');

function expectContained(outcomes: readonly AttackOutcome[]): void {
  expect(outcomes.length).toBeGreaterThanOrEqual(130);
  expect(outcomes.filter(({ reward, traces }) => reward > 0 || traces.length > 0)).toEqual([]);
}

describe.each(isolations())('attacks on $name', (isolation) => {
  test('end as failed rewards and leave nothing behind', { timeout: 900_000 }, async ({ skip }) => {
    const reasons = await probe(isolation, python);
    if (reasons.length > 0) return skip(`${isolation.name}: ${reasons.join('; ')}`);
    const sandbox = await Sandbox.open({ isolation });
    expectContained(await Array.fromAsync(runAttacks(sandbox)));
  });
});

const child = fileURLToPath(new URL('./fixtures/attack-child.ts', import.meta.url));

test('an unprivileged user is protected as well', { timeout: 900_000 }, ({ skip }) => {
  if (process.getuid?.() !== 0) return skip('the tests above ran as such a user');
  const home = mkdtempSync(join(tmpdir(), 'keel-home-'));
  try {
    writeFileSync(join(home, 'secret'), 'of this user');
    chmodSync(home, 0o755);
    const nobody = ['--reuid=60123', '--regid=60123', '--clear-groups'];
    const run = (...command: string[]): string =>
      execFileSync('setpriv', [...nobody, ...command], {
        env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOME: home },
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      });
    try {
      accessSync('/usr/bin/python3', constants.X_OK);
      run(process.execPath, '-e', `require('fs').readFileSync(${JSON.stringify(child)})`);
    } catch {
      return skip('another user cannot read this tree, or has no Python');
    }
    const told = JSON.parse(run(process.execPath, child, '/usr/bin/python3'));
    if (told.isolation === null) return skip(told.reason);
    expectContained(told.outcomes);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test('without a sandbox, the same programs succeed', async () => {
  const sandbox = await Sandbox.open({ isolation: unsafe });
  const real = [
    'connects to a server on the loopback',
    'connects to a socket file',
    'fills it with many files',
    'memory in the buffers of sockets',
    'reads a file of the user',
    'shared memory of which only one page stays mapped',
  ];
  const outcomes = await Array.fromAsync(runAttacks(sandbox, ({ name }) => real.includes(name)));
  expect(outcomes.map(({ name }) => name).toSorted()).toEqual(real);
  expect(outcomes.map(({ reward }) => reward)).toEqual(real.map(() => 1));
  // The tests themselves prevent these, without isolation.
  const forged = ['an object that equals everything', 'redefines names that the tests use'];
  for await (const { reward } of runAttacks(sandbox, ({ name }) => forged.includes(name))) {
    expect(reward).toBe(0);
  }
});
