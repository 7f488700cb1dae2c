import { expect, test } from 'vitest';
import { dataErrorOf, temporaryFiles } from './fixtures/temporary-files.ts';
import { openRows } from './open-rows.ts';
import type { RowKind } from './rows.ts';

const { write } = temporaryFiles();
const shareGpt = [
  { from: 'human', value: 'Hi' },
  { from: 'gpt', value: 'Hello' },
];
const turns = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
];
const [asked, answer] = turns;

const adviceOn = async (kind: RowKind, row: object): Promise<string> => {
  const path = write('rows.jsonl', `${JSON.stringify(row)}\n`);
  const { error, text } = await dataErrorOf(() => openRows(path, { kind }));
  expect(text).toMatch(/^rows\.jsonl:1: /);
  return error.advice ?? '';
};

test.each<[RowKind, object, string]>([
  ['supervised', { conversations: turns }, 'Rename "conversations" to "messages"'],
  [
    'supervised',
    { conversations: shareGpt },
    'This is the ShareGPT form: rename "conversations" to "messages". In each turn, rename "from" to "role" (human is "user", gpt is "assistant", observation is "tool") and "value" to "content"',
  ],
  [
    'supervised',
    { instruction: 'a', input: '', output: 'b' },
    'This is the Alpaca form: rename "instruction" to "prompt" and "output" to "completion"',
  ],
  [
    'supervised',
    { instruction: 'a', input: 'x', output: 'b' },
    'This is the Alpaca form: rename "instruction" to "prompt" and "output" to "completion". Append the text of "input" to the prompt',
  ],
  [
    'supervised',
    { instruction: 'a', context: 'x', response: 'b' },
    'Rename "instruction" to "prompt" and "response" to "completion". Append the text of "context" to the prompt',
  ],
  [
    'preference',
    { prompt: 'a', input: 'x', context: 'y', winner: 'b', loser: 'c' },
    'Rename "winner" to "chosen" and "loser" to "rejected". Append the text of "input" and "context" to the prompt',
  ],
  [
    'supervised',
    { question: 'a', answer: 'b' },
    'Rename "question" to "prompt" and "answer" to "completion"',
  ],
  [
    'supervised',
    { query: 'a', answers: '[{"name": "f", "arguments": {"x": 1}}]' },
    'This is the xLAM form: replace "query" and "answers" with "messages": {"role": "user", "content": …} with the query, then {"role": "assistant", "tool_calls": …} with the calls of "answers"',
  ],
  [
    'messages',
    { query: 'a', answers: [{ name: 'f', arguments: {} }], tools: [{ name: 'f' }] },
    'This is the xLAM form: replace "query" and "answers" with "messages": {"role": "user", "content": …} with the query, then {"role": "assistant", "tool_calls": …} with the calls of "answers". Write each entry of "tools" as {"type": "function", "function": {"name": …, "description": …, "parameters": …}}, with a JSON schema in "parameters"',
  ],
  ['supervised', { prompt: 'a', response: 'b' }, 'Rename "response" to "completion"'],
  [
    'supervised',
    { query: 'a', response: 'b', id: 1 },
    'Rename "query" to "prompt" and "response" to "completion"',
  ],
  [
    'supervised',
    { Prompt: 'a', Completion: 'b' },
    'Rename "Prompt" to "prompt" and "Completion" to "completion"',
  ],
  ['supervised', { content: 'a' }, 'Rename "content" to "text"'],
  [
    'supervised',
    { body: { model: 'm', messages: turns } },
    'This is a request of OpenAI\'s batch interface: rename "body.messages" to "messages"',
  ],
  ['supervised', { messages: [turns] }, 'The list is nested in another list'],
  ['supervised', { messages: { messages: turns } }, 'the list in its "messages"'],
  ['supervised', { messages: JSON.stringify(turns) }, 'This is JSON inside a JSON string'],
  ['prompt', { messages: [asked] }, 'Rename "messages" to "prompt"'],
  ['prompt', { problem: 'a', solution: '4' }, 'Rename "problem" to "prompt"'],
  [
    'prompt',
    { conversations: shareGpt },
    'This is the ShareGPT form: rename "conversations" to "prompt". In each turn',
  ],
  [
    'preference',
    { question: 'a', Chosen: 'b', Rejected: 'c' },
    'Rename "question" to "prompt", "Chosen" to "chosen" and "Rejected" to "rejected"',
  ],
  [
    'preference',
    {
      input: { messages: [asked], tools: [{}] },
      preferred_output: [answer],
      non_preferred_output: [answer],
    },
    'This is OpenAI\'s preference form: rename "input.messages" to "prompt", "input.tools" to "tools", "preferred_output" to "chosen" and "non_preferred_output" to "rejected"',
  ],
  [
    'preference',
    { prompt: [asked], chosen: answer, rejected: answer },
    'Put the message in a list: [{"role": …, "content": …}]',
  ],
  [
    'preference',
    { prompt: 'a', chosen: { from: 'gpt', value: 'b' }, rejected: 'c' },
    'This is the ShareGPT form: put the message in a list',
  ],
  [
    'preference',
    { prompt: 'a', response_0: 'b', response_1: 'c', better_response_id: 0 },
    'Write the better one of "response_0" and "response_1" as "chosen" and the other as "rejected"',
  ],
  [
    'preference',
    { prompt: 'a', response_a: 'b', response_b: 'c', winner: 'model_a' },
    'Write the better one of "response_a" and "response_b" as "chosen"',
  ],
  [
    'ranking',
    { prompt: 'a', completions: [{ response: 'b', overall_score: 7 }] },
    'Replace the object with the text of its "response". Collect "overall_score" in a list "scores"',
  ],
  [
    'ranking',
    { prompt: 'a', responses: ['b', 'c'], ratings: [1, 2] },
    'Rename "responses" to "completions" and "ratings" to "scores"',
  ],
  [
    'unpaired',
    { prompt: 'a', response: 'b', kto_tag: true },
    'Rename "response" to "completion" and "kto_tag" to "label"',
  ],
  [
    'judged',
    { question: 'a', preferred: 'b', dispreferred: 'c' },
    'Rename "question" to "prompt", "preferred" to "chosen" and "dispreferred" to "rejected"',
  ],
])('a %s row in %j', async (kind, row, expected) => {
  expect(await adviceOn(kind, row)).toContain(expected);
});

test('no advice to rename if the meaning is uncertain', async () => {
  expect(await adviceOn('supervised', { id: 3, title: 'a' })).toBe('');
  expect(await adviceOn('preference', { prompt: 'a', answer: 'b' })).not.toContain('ename');
});

test('the columns of a CSV file', async () => {
  const path = write('rows.csv', 'instruction,input,output\na,,b\n');
  const { text } = await dataErrorOf(() => openRows(path, { kind: 'supervised' }));
  expect(text).toContain('rename "instruction" to "prompt" and "output" to "completion"');
});
