// Rows that the chat template refuses are named, or skipped and counted, by the verbs that do not
// train.
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyTemplate, writeTinyChatModel } from '../../../align/src/testing/tiny-chat-model.ts';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const folder = new TemporaryFolder();
const data = folder.file('rows.jsonl');
const turn = (role: string, content: string) => ({ role, content });
const pair = (...prompt: object[]) => ({
  prompt,
  chosen: [turn('assistant', 'day')],
  rejected: [turn('assistant', 'wo')],
});
const fault =
  'rows.jsonl:2: The chat template rejected a conversation with the roles system, user: no system';
let model: string[];

beforeAll(() => {
  writeTinyChatModel(folder.file('model'));
  const refusal =
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}";
  writeFileSync(folder.file('strict.jinja'), `${refusal}${tinyTemplate}`);
  model = ['--model', folder.file('model'), '--chat-template', folder.file('strict.jinja')];
  const asked = turn('user', 'hello');
  const rows = [pair(asked), pair(turn('system', 'x'), asked), pair(turn('user', 'world'))];
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});
afterAll(() => folder[Symbol.dispose]());

describe('a row that the chat template refuses', () => {
  test.each([
    ['score', () => ['--data', data]],
    ['tokens', () => ['--data', data, '--rows', '3']],
    ['generate', () => ['--prompts', data, '--max-new-tokens', '2']],
  ])('is named by keel %s', async (verb, own) => {
    const { code, stderr } = await keel([verb, ...model, ...own()]);
    expect(stderr).toContain(fault);
    expect(code).toBe(1);
  });

  test.each([
    ['score', []],
    ['tokens', ['--rows', '2']],
  ])('is skipped and counted by keel %s --on-bad-row skip', async (verb, own) => {
    const args = [verb, ...model, '--data', data, ...own, '--on-bad-row', 'skip', '--json'];
    const { code, stdout, stderr } = await keel(args);
    expect(code, stderr).toBe(0);
    expect(jsonLines(stdout).map(({ row }) => row)).toEqual([0, 2]);
    expect(stderr).toMatch(/^1 bad row .*rows\.jsonl:/m);
    expect(stderr).toContain(fault);
  });
});

test('options that have no effect with a reward are refused by name', async () => {
  const args = ['score', '--reward', 'length:-5', '--data', data, ...model];
  const { code, stderr } = await keel([...args, '--max-length', '9', '--adapter', 'a']);
  expect(code).not.toBe(0);
  for (const name of ['--chat-template', '--max-length', '--adapter']) {
    expect(stderr).toContain(`${name}: has no effect with --reward`);
  }
});

test('keel tokens --for a verb refuses what its training refuses', async () => {
  const path = folder.file('bad.jsonl');
  const shown = (row: object, verb: string) => {
    writeFileSync(path, `${JSON.stringify(row)}\n`);
    return keel(['tokens', ...model, '--data', path, '--for', verb]);
  };
  const labelled = await shown({ prompt: 'hello', completion: 'day', label: false }, 'sft');
  expect(labelled.stderr).toContain('field "label": expected answers to imitate');
  const ties = await shown({ prompt: 'x', completions: ['day', 'wo'], ranking: [1, 1] }, 'reward');
  expect(ties.stderr).toContain('field "ranking": expected an answer that is better than another');
});
