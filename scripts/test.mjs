// npm test: runs setup, then checks format and lint, types, unused exports, and the tests. Too many
// skipped tests are a failure: they say nothing about this checkout. With arguments (npm test --
// packages/align), runs only vitest with them.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinnedEnvironment, root } from './places.mjs';
import { setUp } from './setup.mjs';

// Some tests need a Python with transformers, user namespaces, a user other than root, or data that
// is not part of Keel (KEEL_LLMBAR, KEEL_MMLU_DEV).
const mostSkipped = 28;
const filters = process.argv.slice(2);
let current = null;
let signalled = null;

// Ctrl-C in a terminal also reaches the running check; this process only waits for it to end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    signalled = signal;
    if (signal !== 'SIGINT' || !process.stdin.isTTY) current?.kill(signal);
  });
}

async function check(name, command, args) {
  console.log(`\n${name}: ${[command, ...args].join(' ')}`);
  const since = performance.now();
  current = spawn(command, args, { cwd: root, env: pinnedEnvironment(), stdio: 'inherit' });
  const failure = await new Promise((done) => {
    current.once('error', (error) => done(error.message));
    current.once('close', (code, signal) => done(signal ?? code));
  });
  const time = `${((performance.now() - since) / 1000).toFixed(1)} s`;
  console.log(`${name}: ${failure === 0 ? 'passed' : `failed (${failure})`} after ${time}`);
  if (signalled) process.exit(128 + constants.signals[signalled]);
  return failure === 0;
}

/** A test file that cannot be loaded contains no failed test, but counts as a failure. */
function countTests(report) {
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

async function runVitest() {
  const folder = mkdtempSync(join(tmpdir(), 'keel-test-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  try {
    const passed = await check('Tests', 'vitest', ['run', ...reporters, ...filters]);
    const counts = existsSync(file) ? countTests(JSON.parse(readFileSync(file, 'utf8'))) : null;
    return { passed, counts };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await setUp({ needModel: true });
if (filters.length === 0) {
  const sound =
    (await check('Format and lint', 'biome', ['check', '.'])) &&
    (await check('Types', 'tsc', ['--noEmit', '-p', '.'])) &&
    (await check('Types of the pages', 'tsc', ['--noEmit', '-p', 'packages/studio/web'])) &&
    (await check('Unused exports and files', 'knip', []));
  if (!sound) process.exit(1);
}
const { passed, counts } = await runVitest();
if (counts) {
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
}
// With arguments vitest counts the tests that they exclude as skipped.
const tooManySkipped = filters.length === 0 && counts && counts.skipped > mostSkipped;
if (tooManySkipped) {
  console.error(
    `${counts.skipped} tests were skipped; at most ${mostSkipped} may be. ` +
      'Set KEEL_TRANSFORMERS_PYTHON to a Python with transformers and PEFT, allow user ' +
      'namespaces, or look for "skipped" in the output above.',
  );
}
process.exitCode = passed && counts && !tooManySkipped ? 0 : 1;
