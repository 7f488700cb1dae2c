import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = `
import { StopSignals } from ${JSON.stringify(fileURLToPath(new URL('stop-signals.ts', import.meta.url)))};
const stop = new StopSignals((name) => console.log(name));
stop.signal.addEventListener('abort', () => console.log('abort ' + stop.exitCode));
setInterval(() => {}, 1000);
console.log('ready');
`;

test.each([
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const)('the first signal (%s) aborts, the second one ends the process at once', async (first, aborted) => {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program]);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (text.endsWith('ready\n')) child.kill(first);
    if (text.endsWith(`abort ${aborted}\n`)) child.kill('SIGTERM');
  });
  const code = await new Promise((done) => child.once('close', done));
  expect(output).toBe(`ready\n${first}\nabort ${aborted}\n`);
  expect(code).toBe(143);
});
