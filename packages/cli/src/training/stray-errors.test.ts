import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = (body: string): string => `
import { StrayErrors } from ${JSON.stringify(fileURLToPath(new URL('stray-errors.ts', import.meta.url)))};
const stray = new StrayErrors((error) => console.log('error ' + error.message));
stray.signal.addEventListener('abort', () => console.log('abort ' + (stray.signal.reason === stray.first.error)));
${body}
setImmediate(() => setImmediate(() => console.log('still running')));
`;

test.each([
  ['an exception', "setImmediate(() => { throw new Error('a'); });"],
  ['a rejection', "Promise.reject(new Error('a')); setImmediate(() => { throw new Error('b'); });"],
])('%s that nobody awaits aborts the signal once, and the process keeps running', async (_, body) => {
  const args = ['--input-type=module-typescript', '--eval', program(body)];
  const child = spawn(process.execPath, args);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise((done) => child.once('close', done));
  expect(output).toBe('error a\nabort true\nstill running\n');
  expect(code).toBe(0);
});
