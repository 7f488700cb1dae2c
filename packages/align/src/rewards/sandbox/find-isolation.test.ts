import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { firstThatHolds, isolations, unsafe } from './find-isolation.ts';
import { findPython } from './interpreter.ts';
import type { Isolation } from './isolation.ts';
import { defaultLimits } from './limits.ts';
import { probe } from './probe.ts';
import { ShutInProcess } from './shut-in-process.ts';

const python = await findPython('python3');

test('the probe detects a method that does not isolate programs', async () => {
  const reasons = await probe(unsafe, python);
  expect(reasons).toContain('a program in it could read one of your files');
  expect(reasons).toContain('a program in it could see processes outside');
  expect(reasons).toContain('a program in it could allocate more memory than allowed');
  expect(reasons).toContain('a program in it could keep more processes than allowed');
  expect(reasons).toContain('a program in it could open unlimited files');
  expect(reasons).toContain('a program in it could create unlimited files');
  expect(reasons).toContain('a program in it could leave a process behind');
});

test('the probe detects a missing system call filter', async () => {
  const [attempts, calls] = ['probe.py', 'probe-calls.py'].map((name) =>
    readFileSync(new URL(`harness/${name}`, import.meta.url), 'utf8'),
  );
  const code = `${attempts!.slice(0, attempts!.indexOf('def _probe'))}\n${calls}`;
  const limits = defaultLimits;
  const run = new ShutInProcess(unsafe, { interpreter: python, code, limits, slot: 0 });
  let printed = '';
  run.stdout.on('data', (part: Buffer) => {
    printed += part.toString();
  });
  await run.ended;
  const tried = [...calls!.matchAll(/^ {4}attempt\('([^']+)'/gm)].map(([, what]) => what);
  // Some systems have no huge pages, or no user namespaces.
  const may = ['use huge pages', 'create a namespace'];
  expect(JSON.parse(printed)).toEqual(
    expect.arrayContaining(tried.filter((what) => !may.includes(what!))),
  );
});

test('a method that does not work is rejected, and the error has the reason for each', async () => {
  const broken: Isolation = {
    name: 'broken',
    scratch: '/scratch',
    wrap: () => ['sh', '-c', 'echo no such namespace >&2; exit 1'],
  };
  const absent: Isolation = { ...broken, name: 'absent', wrap: () => ['keel-no-such-program'] };
  const search = firstThatHolds(python, [broken, absent]);
  await expect(search).rejects.toThrow(
    /broken: no such namespace\n.*absent: .*ENOENT[\s\S]*--unsafe-code/,
  );
});

test('one of the methods works here', async ({ skip }) => {
  const reasons = await Promise.all(isolations().map((way) => probe(way, python)));
  if (reasons.every((one) => one.length > 0))
    skip(`no isolation here: ${reasons.flat().join('; ')}`);
  const first = isolations()[reasons.findIndex((one) => one.length === 0)]!;
  expect((await firstThatHolds(python)).name).toBe(first.name);
});

test.each(
  isolations(),
)('the network of $name is also closed to programs without a filter', async (way) => {
  let visits = 0;
  const server = createServer(() => {
    visits += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const connect = (isolation: Isolation) =>
    new ShutInProcess(isolation, {
      interpreter: python,
      code: `import socket; socket.create_connection(('127.0.0.1', ${port}), 5)`,
      limits: defaultLimits,
      slot: 0,
    }).ended;
  const { code, complaint } = await connect(way);
  expect(code, complaint).not.toBe(0);
  expect(visits).toBe(0);
  expect(await connect(unsafe)).toMatchObject({ code: 0 });
  expect(visits).toBe(1);
});

test('a missing Python is an error', async () => {
  await expect(findPython('keel-no-such-python')).rejects.toThrow(
    '"keel-no-such-python" does not start',
  );
});
