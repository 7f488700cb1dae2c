import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnswerRating, Judge, NoVerdict, PairVerdict } from '@keel/align/judges';
import { afterAll, expect, test } from 'vitest';
import { openProgramJudge, programJudgeSchema } from './program-judge.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-program-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program that replies with what the body returns for a request; undefined: nothing. */
function open(name: string, body: string, spec: object = {}): Promise<Judge> {
  writeFileSync(
    join(folder, `${name}.cjs`),
    `let asked = 0;
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  asked += 1;
  const request = JSON.parse(line);
  const say = (reply) => console.log(typeof reply === 'string' ? reply : JSON.stringify(reply));
  const reply = ((request) => { ${body} })(request);
  if (reply !== undefined) say(reply);
});
`,
  );
  const command = `"${process.execPath}" ${name}.cjs`;
  return openProgramJudge(
    programJudgeSchema.parse({ type: 'program', command, timeout: 20, ...spec }),
    folder,
  );
}
const pair = (first: string, second: string) => ({
  ...{ prompt: 'p', answers: [first, second] as const, extra: { n: 1 } },
});
const failure = async (judge: Judge, first = 'a'): Promise<string> =>
  ((await judge.compare!(pair(first, 'b'))) as NoVerdict).failed;

test('one process gets the rows and replies', async () => {
  await using judge = await open(
    'good',
    `return request.ask === 'rate'
      ? { id: request.id, score: request.answer.length, criteria: { asked } }
      : { id: request.id, first: request.answers[0] === 'long' ? 0.75 : 0.25, tie: 0.1,
          why: request.prompt + request.extra.n + (request.reference ?? '') + asked };`,
    { does: 'both' },
  );
  const asked = { ...pair('long', 'x'), reference: 'r' };
  expect(await judge.compare!(asked)).toMatchObject({ first: 0.75, tie: 0.1, why: 'p1r1' });
  expect(await judge.compare!(pair('x', 'long'))).toMatchObject({ first: 0.25, why: 'p12' });
  const rating = (await judge.rate!({ prompt: 'p', answer: 'four', extra: {} })) as AnswerRating;
  expect(rating).toMatchObject({ score: 4, criteria: { asked: 3 } });
});

test('replies go to their requests in any order', async () => {
  await using judge = await open(
    'late',
    `const { id } = request;
     setTimeout(() => say({ id, first: id / 10 }), 200 - 50 * id);`,
    { concurrency: 3 },
  );
  const found = await Promise.all([1, 2, 3].map(() => judge.compare!(pair('a', 'b'))));
  expect(found.map((one) => (one as PairVerdict).first)).toEqual([0.1, 0.2, 0.3]);
});

test.each([
  ['text', `return 'loading the model';`, /"loading the model"/],
  ['no-id', `return { first: 0.5 };`, /first.*"id"/],
  ['other-id', `return { id: request.id + 1, first: 0.5 };`, /"id"/],
  ['range', `return { id: request.id, first: 3 };`, /"first" is 3/],
  ['words', `return { id: request.id, first: 'A' };`, /"first" is "A"/],
  ['tie', `return { id: request.id, first: 0.9, tie: 0.8 };`, /0\.9.*0\.8/],
  ['unknown', `return { id: request.id, winner: 1 };`, /winner/],
  ['own', `return { id: request.id, failed: 'both are empty' };`, /^both are empty$/],
  ['end', `console.error('no such model'); process.exit(3);`, /exit code 3.*no such model/],
])('a reply that is none is no verdict: %s', async (name, body, reason) => {
  await using judge = await open(name, body);
  expect(await failure(judge)).toMatch(reason);
});

test('after a bad reply, the next request gets its own', async () => {
  await using judge = await open(
    'sometimes',
    `if (request.answers[0] === 'bad') return 'what?';
     return { id: request.id, first: request.answers[0] === 'a' ? 1 : 0 };`,
  );
  expect(await failure(judge, 'bad')).toMatch(/what/);
  expect(await judge.compare!(pair('a', 'b'))).toMatchObject({ first: 1 });
  expect(await judge.compare!(pair('b', 'a'))).toMatchObject({ first: 0 });
});

test('a reply that does not come in time is no verdict, and the program is started again', async () => {
  await using judge = await open(
    'slow',
    `if (request.answers[0] === 'slow') return undefined;
     return { id: request.id, first: 1, why: String(process.pid) };`,
    { timeout: 1 },
  );
  const before = ((await judge.compare!(pair('a', 'b'))) as PairVerdict).why;
  expect(await failure(judge, 'slow')).toMatch(/1 s/);
  const after = ((await judge.compare!(pair('a', 'b'))) as PairVerdict).why;
  expect(after).not.toBe(before);
});

test('a program that never replies is not asked for ever', async () => {
  await using judge = await open('never', 'process.exit(1);');
  for (let count = 0; count < 4; count++) expect(await failure(judge)).toMatch(/exit code 1/);
  await expect(judge.compare!(pair('a', 'b'))).rejects.toThrow(/5 times.*exit code 1/s);
});

test('a signal ends the call', async () => {
  await using judge = await open('waits', 'return undefined;');
  const stop = new AbortController();
  const asked = judge.compare!(pair('a', 'b'), stop.signal);
  const reason = new Error('enough');
  stop.abort(reason);
  await expect(asked).rejects.toBe(reason);
});

test('the file of the program is part of its identity', async () => {
  const identities: string[] = [];
  for (const body of ['return 1;', 'return 1;', 'return 2;']) {
    await using judge = await open('same', body);
    identities.push(judge.identity);
  }
  expect(identities[1]).toBe(identities[0]);
  expect(identities[2]).not.toBe(identities[0]);
});
