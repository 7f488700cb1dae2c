// keel revise and keel label as a user runs them: from prompts to rows that other verbs train on.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openScriptedEndpoint } from '../../../align/src/judges/endpoint/testing/scripted-endpoint.ts';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { tinyChat } from '../testing/short-runs.ts';

const prompts = ['hello', 'who are you', 'what is a bird', 'tell me more'];
const machine = ['--precision', 'fp32', '--threads', '1'];

function promptFile(folder: TemporaryFolder): string {
  const path = folder.file('prompts.jsonl');
  writeFileSync(path, prompts.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
  return path;
}

const runIn = (folder: TemporaryFolder, args: readonly string[]) =>
  keel(args, { env: { KEEL_CACHE: folder.file('cache') } });
const rowsOf = (path: string) => jsonLines(readFileSync(path, 'utf8'));

test('keel revise with an endpoint as critic writes rows that sft and dpo train on', async () => {
  using folder = new TemporaryFolder();
  await using endpoint = await openScriptedEndpoint(({ messages }) => {
    const asked = messages.at(-1)!.content;
    return /Rewrite the response/.test(asked)
      ? { text: `Here is a better response: I would rather say it so: ${asked.slice(-20)}` }
      : { text: 'The response is cold, and it leaves out what the person wanted to know.' };
  });
  const spec = folder.file('critic.yaml');
  writeFileSync(spec, `type: endpoint\nbase_url: ${endpoint.url}\nmodel: large\n`);
  const output = folder.file('revised');
  const args = [
    ...['revise', '--model', tinyChat, '--data', promptFile(folder), '--critic', spec],
    ...['--rounds', '2', '--max-new-tokens', '8', '--output', output, ...machine],
  ];
  const planned = await runIn(folder, [...args, '--dry-run']);
  expect(planned.code, planned.stderr).toBe(0);
  expect(planned.stdout).toMatch(/^critic +large at http/m);
  expect(planned.stdout).toMatch(/^constitution +keel 1, 16 principles, 4 examples$/m);
  expect(existsSync(output)).toBe(false);

  const { code, stdout, stderr } = await runIn(folder, args);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^prompts +4$/m);
  expect(stdout).toMatch(/^ +revised +\d+$/m);
  const supervised = rowsOf(`${output}/sft.jsonl`);
  expect(supervised.length).toBeGreaterThan(0);
  expect(supervised[0]).toMatchObject({
    completion: [{ content: expect.stringMatching(/^I would rather say it so: /) }],
  });
  const short = ['--lora', '--max-steps', '1', '--model', tinyChat, ...machine];
  const train = (verb: string, data: string) =>
    runIn(folder, [verb, '--data', data, '--output', folder.file(verb), ...short]);
  const tuned = await train('sft', `${output}/sft.jsonl`);
  expect(tuned.code, tuned.stderr).toBe(0);
  // Nobody ends an answer within eight tokens: training refuses it until someone says otherwise.
  const pairs = `${output}/preferences.jsonl`;
  expect((await train('dpo', pairs)).stderr).toContain('rejected_finish_reason');
  const ended = rowsOf(pairs).map((row) => ({ ...row, rejected_finish_reason: 'stop' }));
  writeFileSync(pairs, ended.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const aligned = await train('dpo', pairs);
  expect(aligned.code, aligned.stderr).toBe(0);
  const again = await runIn(folder, args);
  expect(again.code).not.toBe(0);
  expect(again.stderr).toContain('--overwrite');
});

test('keel label writes probabilities that reward trains on, and counts agreement', async () => {
  using folder = new TemporaryFolder();
  const data = folder.file('answers.jsonl');
  const rows = prompts.flatMap((prompt) =>
    ['hello hello', 'so it is'].map((completion) => ({ prompt, completion })),
  );
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const module = folder.file('judge.mjs');
  writeFileSync(
    module,
    'export const shorter = (prompt, a, b) => 1 / (1 + Math.exp((a.length - b.length) / 3));\n',
  );
  const output = folder.file('labelled.jsonl');
  const people = folder.file('people.jsonl');
  const said = { prompt: 'hello', chosen: 'hello hello', rejected: 'so it is' };
  writeFileSync(people, `${JSON.stringify(said)}\n`);
  const { code, stdout, stderr } = await runIn(folder, [
    ...['label', '--data', data, '--judge', `${module}#shorter`, '--human', people],
    ...['--output', output, '--json'],
  ]);
  expect(code, stderr).toBe(0);
  expect(jsonLines(stdout).at(-1)).toMatchObject({
    ...{ type: 'final', pairs: 4, rows: 4, human: { count: 1, value: 0 } },
  });
  const labelled = rowsOf(output);
  expect(labelled.map(({ labelled_by }) => labelled_by)).toEqual([
    'people',
    ...Array(3).fill('judge'),
  ]);
  expect(labelled[1]).toMatchObject({ chosen: 'so it is', rejected: 'hello hello' });
  expect(labelled[1]!.label_probability).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
  const trained = await runIn(folder, [
    ...['reward', '--data', output, '--output', folder.file('reward'), '--model', tinyChat],
    ...['--lora', '--max-steps', '1', ...machine],
  ]);
  expect(trained.code, trained.stderr).toBe(0);
});

test('keel label compares by the scores of a judge that only rates', async () => {
  using folder = new TemporaryFolder();
  const data = folder.file('pairs.jsonl');
  const row = { prompt: 'hello', chosen: 'so it is', rejected: 'hello hello' };
  writeFileSync(data, `${JSON.stringify(row)}\n`);
  const module = folder.file('judge.mjs');
  writeFileSync(module, 'export const rate = (prompt, answer) => answer.length;\n');
  const output = folder.file('labelled.jsonl');
  const args = ['label', '--data', data, '--judge', module, '--output', output];
  const { code, stderr } = await runIn(folder, args);
  expect(code, stderr).toBe(0);
  expect(rowsOf(output)).toMatchObject([{ chosen: 'hello hello', label_probability: 1 }]);
});
