// Runs the parts of `scripts/device-check`, each as a process of its own with a time limit, and
// writes what they found as one JSON file. A part that fails does not stop the others.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type PartName, type PartOptions, partLimits } from './parts.ts';

const usage = `Usage: scripts/device-check [options]

Builds Keel for the machine's LibTorch (KEEL_LIBTORCH, or the active Python's), compares the
device's numbers with the CPU's, and measures memory and speed. Takes at most ten minutes.

  --device NAME   the device to check (default: cuda)
  --size SIZE     full: a model of 1.5 billion parameters for memory and speed; small: a tiny one
                  (default: full)
  --parts LIST    only these of ${Object.keys(partLimits).join(', ')}
  --output FILE   where the results are written (default: device-check.json)
`;

interface Finding {
  status: 'passed' | 'failed' | 'timed out';
  seconds: number;
  /** What the part found; absent where it did not get that far. */
  found?: unknown;
  /** The end of its output, where it did not pass. */
  output?: string;
}

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    size: { type: 'string', default: 'full' },
    parts: { type: 'string', default: Object.keys(partLimits).join() },
    output: { type: 'string', default: 'device-check.json' },
    help: { type: 'boolean', default: false },
  },
});
const parts = values.parts.split(',') as PartName[];
const unknown = parts.filter((name) => !Object.hasOwn(partLimits, name));
if (values.help || unknown.length > 0 || !['full', 'small'].includes(values.size)) {
  const wrong = unknown.length > 0 ? `There is no part ${unknown.join(', ')}.\n\n` : '';
  process.stderr.write(wrong + usage);
  process.exit(values.help ? 0 : 2);
}

/** Runs a part. Its last line of output is JSON. */
async function run(name: PartName, options: PartOptions): Promise<Finding> {
  const since = performance.now();
  const program = fileURLToPath(new URL('run-part.ts', import.meta.url));
  // In its own process group: compilers that it started end with it.
  const child = spawn(process.execPath, [program, name, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.kill(-child.pid!, 'SIGKILL');
  }, 1000 * partLimits[name]);
  const code = await new Promise((done) => child.once('close', done));
  clearTimeout(timer);
  const seconds = Math.round((performance.now() - since) / 100) / 10;
  const end = { output: output.slice(-4000) };
  if (late) return { status: 'timed out', seconds, ...end };
  try {
    const last = JSON.parse(output.trimEnd().split('\n').at(-1)!);
    const passed = code === 0 && last.passed === true;
    return { status: passed ? 'passed' : 'failed', seconds, found: last.found };
  } catch {
    return { status: 'failed', seconds, ...end };
  }
}

const folder = mkdtempSync(join(tmpdir(), 'keel-device-check-'));
const machine = {
  cpu: cpus()[0]?.model,
  ...{ cores: availableParallelism(), memory: totalmem(), arch: arch(), node: process.version },
};
const { device, size } = values;
const found: Record<string, Finding> = {};
const output = resolve(values.output);
mkdirSync(dirname(output), { recursive: true });
try {
  for (const name of parts) {
    process.stderr.write(`${name}: at most ${partLimits[name]} s …\n`);
    found[name] = await run(name, { device, size: size as 'full' | 'small', folder });
    process.stderr.write(`${name}: ${found[name].status} after ${found[name].seconds} s\n`);
    // Written after each part: what ends the whole check loses only the rest.
    const report = { date: new Date().toISOString(), device, size, machine, parts: found };
    writeFileSync(output, `${JSON.stringify(report, null, 2)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stderr.write(`Written to ${output}\n`);
process.exitCode = Object.values(found).every(({ status }) => status === 'passed') ? 0 : 1;
