import { expect, test } from 'vitest';
import { regexReward } from '../rewards/regex-reward.ts';
import type { RewardInput } from '../rewards/reward.ts';
import { dialogue, wholeAnswer, wholeMessage } from './message-text.ts';
import { parseRow } from './parse-row.ts';

const user = { role: 'user', content: 'Weather in Paris?' };
const call = (name: string, args: unknown) => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ type: 'function', function: { name, arguments: args } }],
});
const row = (prompt: unknown, completion: unknown, more: object = {}): RewardInput =>
  parseRow('completion', { prompt, completion, ...more }, { file: 'rows.jsonl', line: 1 });

test('tool calls, their results and reasoning are part of an answer', () => {
  const said = { role: 'assistant', content: 'It is 20.', reasoning_content: 'It says 20.' };
  const result = { role: 'tool', content: '20' };
  const input = row([user], [call('get_weather', '{"city": "Paris"}'), result, said]);
  expect(wholeAnswer(input)).toBe(
    'get_weather({"city":"Paris"})\ntool: 20\n<think>\nIt says 20.\n</think>\n\nIt is 20.',
  );
  expect(wholeMessage({ ...input, opened: '<think>\n' })).toBe(
    '<think>\nget_weather({"city":"Paris"})\n<think>\nIt says 20.\n</think>\n\nIt is 20.',
  );
  const shared = row([user], [call('f', { a: 20 }), call('g', {})]);
  expect(wholeAnswer(shared)).toBe('f({"a":20})\ng({})');
});

test('an answer that is only text is that text', () => {
  const said = [{ role: 'assistant', content: 'one' }];
  for (const input of [row('a', 'one'), row([user], said)]) {
    expect(wholeAnswer({ ...input, opened: '> ' })).toBe('> one');
  }
});

test('a prompt has its tools and the calls of its turns', () => {
  const answer = [{ role: 'assistant', content: 'x' }];
  expect(dialogue(row([user], answer))).toBe('Weather in Paris?');
  const tool = { type: 'function', function: { name: 'get_weather' } };
  const asked = [user, call('get_weather', { city: 'Paris' }), { role: 'tool', content: '20' }];
  expect(dialogue(row(asked, answer, { tools: [tool] }))).toBe(
    `Tools:\n${JSON.stringify(tool)}\n\nuser: Weather in Paris?\n\nassistant: get_weather({"city":"Paris"})\n\ntool: 20`,
  );
});

test('a pattern finds tool calls in the whole message, but not in its text', async () => {
  const input = row([user], [call('get_weather', { city: 'Paris' })]);
  const score = async (of: 'message' | 'text') =>
    (await regexReward({ type: 'regex', pattern: 'get_weather', of }).score([input]))[0]!.score;
  expect([await score('message'), await score('text')]).toEqual([1, 0]);
});
