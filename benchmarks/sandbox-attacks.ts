// Prints a table of attacks on the sandbox and their outcomes.
//   node benchmarks/sandbox-attacks.ts [CGROUP]
// CGROUP: the folder of a memory control group that this process may enter and write to, created
// for this run (mkdir /sys/fs/cgroup/memory/keel). The table then includes the peak memory of each
// run, with the kernel's.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isolations, NoIsolationError, openReward, runAttacks, Sandbox } from '@keel/align/rewards';

const [group] = process.argv.slice(2);

/**
 * Files of control groups version 1 or 2: the memory in use, and its peak, which a write resets.
 */
const files =
  group === undefined
    ? null
    : existsSync(join(group, 'memory.peak'))
      ? { now: join(group, 'memory.current'), peak: join(group, 'memory.peak') }
      : {
          now: join(group, 'memory.usage_in_bytes'),
          peak: join(group, 'memory.max_usage_in_bytes'),
        };

const megabytes = (path: string): number => Number(readFileSync(path, 'utf8')) / 2 ** 20;

if (group !== undefined) writeFileSync(join(group, 'cgroup.procs'), String(process.pid));

let attacks = 0;
let failed = 0;
for (const isolation of isolations()) {
  const sandbox = await Sandbox.open({ isolation });
  const user = process.getuid?.() === 0 ? 'root (programs run as another user)' : 'a user';
  console.log(`\n### ${isolation.name}, started by ${user}\n`);
  const columns = ['attack', 'reward', 'outcome', 'left outside', 's'];
  if (files) columns.push('MB');
  console.log(`| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`);
  let before = 0;
  const start = (): void => {
    if (files === null) return;
    before = megabytes(files.now);
    writeFileSync(files.peak, '0');
  };
  start();
  for await (const { name, reward, met, traces, seconds } of runAttacks(sandbox)) {
    attacks += 1;
    if (reward > 0 || traces.length > 0) failed += 1;
    const words = met.replace(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 160);
    const cells = [name, reward, words, traces.join('; ') || 'nothing', seconds.toFixed(1)];
    if (files) cells.push((megabytes(files.peak) - before).toFixed(0));
    console.log(`| ${cells.join(' | ')} |`);
    start();
  }
}
const honest = [
  'assert double(2) == 4',
  'for x in range(200):\n    assert double(x) == 2 * x',
  'import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(double(1), 2)',
];

/** Seconds of an honest program, the median of 30 runs, and its peak memory. */
async function honestRun(): Promise<string> {
  await using reward = await openReward('code');
  const input = { prompt: '', completion: 'def double(x): return 2 * x', extra: { tests: honest } };
  const before = files ? megabytes(files.now) : 0;
  if (files) writeFileSync(files.peak, '0');
  const seconds: number[] = [];
  for (let run = 0; run < 30; run += 1) {
    const start = performance.now();
    const [outcome] = await reward.score([input]);
    if (outcome?.score !== 1) throw new Error(`an honest program fails: ${outcome?.note}`);
    seconds.push((performance.now() - start) / 1000);
  }
  const median = seconds.sort((one, other) => one - other)[15]!.toFixed(2);
  return `${median} s${files ? `, ${(megabytes(files.peak) - before).toFixed(0)} MB` : ''}`;
}

console.log(`\n${failed} of ${attacks} attacks got through`);
try {
  const { isolation } = await Sandbox.open();
  console.log(`Used here: ${isolation}. An honest program takes ${await honestRun()}`);
} catch (error) {
  if (!(error instanceof NoIsolationError)) throw error;
  console.log(error.message);
}
process.exitCode = failed === 0 ? 0 : 1;
